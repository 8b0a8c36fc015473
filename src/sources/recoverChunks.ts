import { sameJson } from '../protocol/json.js';
import type { JobSnapshot } from '../types/JobSnapshot.js';
import { pendingChunks, type StreamCursor } from './StreamCursor.js';

/**
 * The chunks of a stream after the delivered ones, from the output of a job whose worker aggregates its stream.
 *
 * `undefined` where the output does not prove to hold them. It does where it begins with the delivered chunks, and the
 * pending chunks follow in their order, with or without others between them. An empty output proves nothing: a worker that
 * does not aggregate leaves one.
 */
export function recoverChunks(snapshot: JobSnapshot, cursor: StreamCursor): readonly unknown[] | undefined {
  const { count, delivered } = cursor;
  const pending = pendingChunks(cursor);
  const output: unknown = snapshot.status === 'COMPLETED' ? snapshot.output : undefined;
  if (!Array.isArray(output) || !output.length) return undefined;
  // Chunks that another process delivered cannot be compared. Then there must be pending chunks as a proof.
  if (delivered.length !== count && !pending.length) return undefined;
  if (output.length < count || !delivered.every((chunk, index) => sameJson(chunk, output[index]))) return undefined;
  const rest: readonly unknown[] = output.slice(count);
  return containsInOrder(rest, pending) ? rest : undefined;
}

/** Whether `chunks` lie in `all` in their order, with or without others between them. */
function containsInOrder(all: readonly unknown[], chunks: readonly unknown[]): boolean {
  let found = 0;
  for (const chunk of all) {
    if (found < chunks.length && sameJson(chunk, chunks[found])) found++;
  }
  return found === chunks.length;
}
