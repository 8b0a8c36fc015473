/** How far a job's stream has been read. Owned by whoever may read it again, since the service tells chunks only once. */
export interface StreamCursor {
  /** How many chunks were emitted. */
  count: number;
  /** Those chunks, kept only where a gap may have to be filled. */
  delivered: unknown[];
  /** Chunks that have come and were not emitted yet. */
  pending: unknown[];
  /** Whether an answer was lost that may have carried chunks. */
  gap?: 'possibly' | 'certainly';
  /** How many chunks were emitted to this reader or others, where those had some that it had not. */
  next?: number;
}

/** How far one reader has come in a stream that others may read, too. */
export interface ReaderPosition {
  /** How many chunks it has had; unknown of one that takes what is left. */
  chunks?: number | undefined;
  /** Whether chunks may be missing behind them. */
  readonly gap?: boolean | undefined;
}

/** A cursor at the beginning of a stream. */
export function streamCursor(): StreamCursor {
  return { count: 0, delivered: [], pending: [] };
}
