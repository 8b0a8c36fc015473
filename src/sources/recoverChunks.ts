import { sameJson } from '../protocol/json.js';
import type { JobSnapshot } from '../types/JobSnapshot.js';
import type { StreamCursor } from './StreamCursor.js';

/**
 * What is missing of a stream, from the output of a job whose worker aggregates it: the whole rest after the chunks that
 * were delivered. `undefined` where the output does not prove to hold it, that is, unless it begins with what was
 * delivered and the pending chunks lie in the rest in order. An empty output proves nothing: it is what a worker that
 * does not aggregate leaves.
 */
export function recoverChunks(
  snapshot: JobSnapshot,
  { count, delivered, pending }: StreamCursor,
): readonly unknown[] | undefined {
  const output: unknown = snapshot.status === 'COMPLETED' ? snapshot.output : undefined;
  if (!Array.isArray(output) || !output.length) return undefined;
  // What another process delivered is not known here: then the pending chunks must do for a proof.
  if (delivered.length !== count && !pending.length) return undefined;
  if (output.length < count || !delivered.every((chunk, at) => sameJson(chunk, output[at]))) return undefined;
  const rest = output.slice(count) as unknown[];
  let at = 0;
  const inOrder = pending.every((chunk) => {
    while (at < rest.length && !sameJson(rest[at], chunk)) at++;
    return at++ < rest.length;
  });
  return inOrder ? rest : undefined;
}
