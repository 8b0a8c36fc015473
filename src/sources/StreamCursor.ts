import type { LogPlace } from './keptStream.js';

/**
 * How far a job's stream has been read. The service sends each chunk once, so the next reading of the same stream needs the
 * cursor of the last one.
 */
export interface StreamCursor {
  /** How many chunks were emitted. */
  count: number;
  /** These chunks; kept only under `onGap: 'hold'`, to fill a gap. */
  delivered: unknown[];
  /** Chunks that were received. Where they are many, the first `taken` of them are emitted, and are dropped together. */
  pending: unknown[];
  taken?: number;
  /** Set where an answer was lost that may have carried chunks, or did for certain. */
  gap?: 'possibly' | 'certainly';
  /** How many chunks other readers of the stream were given, where that is more than `count`. */
  next?: number;
  /** Where reading goes on, where the server keeps the stream. */
  place?: LogPlace;
  /** Where reading stopped in the logs before that one: of several servers, each keeps one. */
  formerPlaces?: readonly LogPlace[];
}

/** In a longer array, `shift` would move too many chunks for each that is emitted: an answer may have a million. */
const MAX_SHIFTED = 1000;

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

/** The chunks that were received and are not emitted yet. */
export function pendingChunks({ pending, taken = 0 }: Pick<StreamCursor, 'pending' | 'taken'>): readonly unknown[] {
  return taken ? pending.slice(taken) : pending;
}

/** How many chunks were received and are not emitted yet. */
export function pendingCount({ pending, taken = 0 }: StreamCursor): number {
  return pending.length - taken;
}

/** The first of the chunks that are not emitted yet. */
export function firstPending({ pending, taken = 0 }: StreamCursor): unknown {
  return pending[taken];
}

/** Takes the first chunk from those that are not emitted yet. */
export function takePending(cursor: StreamCursor): unknown {
  const { pending, taken = 0 } = cursor;
  if (!taken && pending.length <= MAX_SHIFTED) return pending.shift();
  const chunk = pending[taken];
  cursor.taken = taken + 1;
  if (cursor.taken * 2 >= pending.length) {
    pending.splice(0, cursor.taken);
    delete cursor.taken;
  }
  return chunk;
}
