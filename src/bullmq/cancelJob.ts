import { map, type Observable } from 'rxjs';
import { assertOptions } from '../errors/invalidOptions.js';
import { having, required } from '../protocol/checkOptions.js';
import { eventually } from '../server/eventually.js';
import type { BullmqJob } from './BullmqJob.js';
import type { RedisClient } from './RedisClient.js';
import { markCancel } from './redisRow.js';

/**
 * Cancels a job of a queue, whichever process has it: BullMQ itself can neither remove a job that is active nor reach the
 * worker that has it.
 *
 * ```ts
 * cancelJob(redis, await queue.getJob(id)).subscribe((found) => console.log(found));
 * ```
 *
 * The worker that has the job, or the next that gets it, cancels its job of RunPod, and the queue's job fails with
 * `cancelled`; it is not retried. Emits whether there is such a job, and completes; errors where Redis does. The request is
 * sent when it is subscribed to; unsubscribing takes nothing back.
 */
export function cancelJob(redis: RedisClient, job: BullmqJob | undefined): Observable<boolean> {
  assertOptions('cancelJob', { redis }, { redis: required(having('a client of ioredis', 'eval')) });
  return eventually(() => (job ? markCancel(redis, job) : false)).pipe(map((found) => found));
}
