import { streamCursor, type ReaderPosition, type StreamCursor } from '../sources/StreamCursor.js';
import type { KnownJob } from './KnownJob.js';

/** The cursor for a reader at some position, after the readers before it. */
export function cursorAt({ chunks, gap }: ReaderPosition, { cursor: last, chunksDelivered }: KnownJob): StreamCursor {
  if (last?.count === chunksDelivered && (chunks ?? chunksDelivered) === chunksDelivered) return last;
  const count = chunks ?? last?.count ?? 0;
  const cursor = { ...streamCursor(), ...last, count, delivered: last?.delivered.slice(0, count) ?? [] };
  if (chunks !== undefined && count < chunksDelivered) {
    cursor.gap = 'certainly';
    cursor.next = chunksDelivered;
  } else if (gap) cursor.gap ??= 'possibly';
  return cursor;
}
