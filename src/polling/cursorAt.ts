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
  const delivered = last?.delivered.slice(0, count) ?? [];
  // A gap that was there before the server kept the stream stays one.
  if (isKept) return { ...streamCursor(), count, delivered, ...(gap && { gap: 'possibly' }) };
  const cursor = { ...streamCursor(), ...last, count, delivered };
  if (chunks !== undefined && count < chunksDelivered) {
    cursor.gap = 'certainly';
    cursor.next = chunksDelivered;
  } else if (gap) cursor.gap ??= 'possibly';
  return cursor;
}
