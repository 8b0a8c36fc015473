import type { SchedulerLike } from 'rxjs';
import type { DurableOptions, DurableWebhooks } from '../durable/DurableOptions.js';
import type { JobRequest } from '../index.js';
import {
  callback,
  durationBetween,
  having,
  longDuration,
  oneOf,
  record,
  scheduler,
  type Checks,
} from '../protocol/checkOptions.js';

/**
 * How the jobs of a queue become jobs of an endpoint; all durations in milliseconds.
 *
 * @typeParam Q - a job of the queue
 */
export interface QueueJobOptions<Q, I extends object = Record<string, unknown>> {
  /**
   * Makes the request of a job. A job that is delivered again must give the same input.
   * @defaultValue the job's data is the input
   */
  readonly request?: (job: Q) => JobRequest<I>;
  /**
   * What is done for a job that was sent and whose answer was lost, by a crash or on the wire.
   *
   * - `wait`: waits for its webhook, for `grace`; then the queue's job fails, and is not retried.
   * - `fail`: the queue's job fails at once, and is not retried.
   * - `resubmit`: submits it again, which may pay twice. With `webhooks`, waits for `grace` before. Three times in
   *   a delivery at most: where all answers are lost, the queue's job fails, and is not retried.
   * @defaultValue `'wait'` with `webhooks`, `'fail'` without
   */
  readonly ambiguous?: 'wait' | 'fail' | 'resubmit';
  /**
   * The receiver of webhooks: `createWebhooks` of `runpod-rx/server`, with a store that the workers share.
   * @defaultValue none
   */
  readonly webhooks?: DurableWebhooks;
  /**
   * How long after it was sent the webhook of an ambiguous job is waited for. It is looked up at least once.
   * @defaultValue 1 800 000 (half an hour)
   */
  readonly grace?: number;
  /**
   * Options of each job, such as `timeout`.
   * @defaultValue none
   */
  readonly job?: Omit<NonNullable<DurableOptions<I>['job']>, 'onUnsubscribe' | 'signal' | 'tag'>;
  /**
   * All time comes from it: the client's.
   * @defaultValue `asyncScheduler`, with durations by `performance.now()`
   */
  readonly scheduler?: SchedulerLike;
}

/** How often something is looked after. */
export const interval = durationBetween(100, 2 ** 31 - 1);

export const checksOfQueueJobs: Checks<QueueJobOptions<unknown, object>> = {
  request: callback,
  ambiguous: oneOf('wait', 'fail', 'resubmit'),
  webhooks: having('a receiver of webhooks, with the functions sign and jobOf', 'sign', 'jobOf'),
  grace: longDuration,
  job: record,
  scheduler,
};
