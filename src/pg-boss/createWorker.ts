import { defer, type Observable } from 'rxjs';
import { invalidOptions } from '../errors/invalidOptions.js';
import type { Endpoint } from '../index.js';
import { having } from '../protocol/checkOptions.js';
import { must } from '../protocol/checks.js';
import { queueTerms } from '../queues/queueTerms.js';
import type { Boss, BossJob } from './Boss.js';
import type { BossEvent } from './BossDelivery.js';
import { BossTable } from './BossTable.js';
import { WorkerRun } from './WorkerRun.js';
import { checksOfWorker, type WorkerOptions } from './WorkerOptions.js';

/** A worker for a queue of pg-boss. */
export interface BossWorker<I extends object = Record<string, unknown>, O = unknown> {
  /**
   * What became of each job. Subscribing starts the worker. Unsubscribing stops it: it takes no more jobs, and gives those
   * that it has back to the queue; they go on, and another worker attaches to them. So does the closing of its client. Errors
   * where the database cannot be used at the start; completes never.
   */
  readonly events$: Observable<BossEvent<I, O>>;
  /**
   * Completes once a worker that was stopped has given its jobs back: stop pg-boss after that. Emits nothing and never
   * errors.
   */
  settled(this: void): Observable<never>;
}

/**
 * Makes a worker for a queue of pg-boss: each job of the queue becomes a job of an endpoint, and its output the job's result.
 *
 * ```ts
 * const worker = createWorker(boss, 'images', endpoint, { concurrency: 50 });
 * worker.events$.subscribe((event) => console.log(event.type, event.job.id));
 * ```
 *
 * It takes the place of `boss.work`, whose handlers end with their time limit, and none of whose jobs is given to another
 * worker before that. No other kind of worker may take jobs of the queue.
 *
 * - What happens to a job is written to a table of the queue's own database first. A job that is delivered again, after its
 *   worker was killed, has stalled or was stopped, is attached to, and not submitted again.
 * - A job that FAILED, or could not be followed, fails an attempt of the queue's job; the queue's `retryLimit` decides whether
 *   there is another, which submits a new job. Where another attempt would be in vain, or would pay twice unasked, it is none.
 * - `boss.cancel(queue, id)` and `boss.deleteJob(queue, id)` cancel the job on the server. Nothing else does.
 *
 * Throws `ConfigurationError` for options that cannot work.
 */
export function createWorker<I extends object, O, C>(
  boss: Boss,
  queue: string,
  endpoint: Endpoint<I, O, C>,
  options: WorkerOptions<I> = {},
): BossWorker<I, O> {
  const issues = [
    ...having('an instance of pg-boss', 'fetch', 'complete', 'fail', 'getDb')(boss, 'boss'),
    ...must(typeof queue === 'string' && queue.length > 0, 'queue', queue, 'be the name of a queue'),
  ];
  if (issues.length) throw invalidOptions('createWorker', issues);
  const terms = queueTerms<BossJob<I>, I, O, C, WorkerOptions<I>>('createWorker', endpoint, options, checksOfWorker);
  const { heartbeat = 5_000, lease = 60_000, schema = 'pgboss' } = options;
  // Else a job is taken from a worker that is well, while its submission is answered.
  const tooShort = must(
    lease >= 2 * heartbeat,
    'lease',
    lease,
    `be at least twice the heartbeat, which is ${heartbeat}`,
  );
  if (tooShort.length) throw invalidOptions('createWorker', tooShort);
  const { pending, scheduler } = terms;
  const table = new BossTable(boss, queue, schema);
  return {
    events$: defer(() => new WorkerRun(terms, options, { table, pending }).events()),
    settled: () => pending.settled(scheduler),
  };
}
