import { streamCursor, type ReaderPosition, type StreamCursor } from '../sources/StreamCursor.js';
import type { KnownJob } from './KnownJob.js';

/**
 * The cursor for a reader at some position, after the readers before it.
 *
 * @param isKept - whether the server keeps the stream: then what other readers were given is not lost to this one
 */
export function cursorAt(
  { chunks, gap }: ReaderPosition,
  { cursor: last, chunksDelivered }: KnownJob,
  isKept = false,
): StreamCursor {
  if (last?.count === chunksDelivered && (chunks ?? chunksDelivered) === chunksDelivered) return last;
  const count = chunks ?? last?.count ?? 0;
  if (isKept) return { ...streamCursor(), count, delivered: last?.delivered.slice(0, count) ?? [] };
  const cursor = { ...streamCursor(), ...last, count, delivered: last?.delivered.slice(0, count) ?? [] };
  if (chunks !== undefined && count < chunksDelivered) {
    cursor.gap = 'certainly';
    cursor.next = chunksDelivered;
  } else if (gap) cursor.gap ??= 'possibly';
  return cursor;
}
