/** How far a job's stream has been read. Owned by whoever may read it again, since the service tells chunks only once. */
export interface StreamCursor {
  /** How many chunks were emitted. */
  count: number;
  /** Those chunks, kept only where a gap may have to be filled. */
  readonly delivered: unknown[];
  /** Chunks that have come and were not emitted yet. */
  pending: unknown[];
  /** Whether an answer was lost that may have carried chunks. */
  gap?: 'possibly' | 'certainly';
}

/** A cursor at the beginning of a stream. */
export function streamCursor(): StreamCursor {
  return { count: 0, delivered: [], pending: [] };
}
