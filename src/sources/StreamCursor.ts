/**
 * How far a job's stream has been read. The service sends each chunk once, so the next reading of the same stream needs the
 * cursor of the last one.
 */
export interface StreamCursor {
  /** How many chunks were emitted. */
  count: number;
  /** These chunks; kept only under `onGap: 'hold'`, to fill a gap. */
  delivered: unknown[];
  /** Chunks that were received and are not emitted yet. */
  pending: unknown[];
  /** Set where an answer was lost that may have carried chunks, or did for certain. */
  gap?: 'possibly' | 'certainly';
  /** How many chunks other readers of the stream were given, where that is more than `count`. */
  next?: number;
}

/** How far one reader has come in a stream that may have other readers. */
export interface ReaderPosition {
  /** How many chunks it has had; `undefined` for a reader that begins wherever the stream is. */
  chunks?: number | undefined;
  /** Whether chunks may be missing after these. */
  readonly gap?: boolean | undefined;
}

/** A cursor at the beginning of a stream. */
export function streamCursor(): StreamCursor {
  return { count: 0, delivered: [], pending: [] };
}
