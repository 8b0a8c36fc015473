import {
  EMPTY,
  ReplaySubject,
  Subject,
  catchError,
  exhaustMap,
  filter,
  firstValueFrom,
  fromEvent,
  map,
  merge,
  of,
  tap,
  timer,
  type Observable,
} from 'rxjs';
import { invalidOptions } from '../errors/invalidOptions.js';
import { jobOutput, type Endpoint, type JobRequest } from '../index.js';
import { having } from '../protocol/checkOptions.js';
import { isFinalFailure } from '../queues/isFinalFailure.js';
import { JobDelivery, type DeliveryOrder, type DeliveryOutcome, type DeliveryTerms } from '../queues/JobDelivery.js';
import { queueKey } from '../queues/queueKey.js';
import { queueTerms } from '../queues/queueTerms.js';
import { eventually } from '../server/eventually.js';
import type { BullmqJob, BullmqWorker } from './BullmqJob.js';
import { leftToQueue, unrecoverable } from './endings.js';
import { checksOfProcessor, type ProcessorOptions } from './ProcessorOptions.js';
import { deliveryOf, hasJob, markCancelled, redisRow, removeRow, standing } from './redisRow.js';

const checkWorker = having('a worker of BullMQ', 'on');

/** A function for `new Worker(name, processor, …)` of BullMQ. */
export interface RunpodProcessor<I extends object = Record<string, unknown>, O = unknown> {
  // Three parameters: by their number BullMQ decides whether a processor gets a signal.
  (job: BullmqJob<I>, token: string | undefined, signal: AbortSignal | undefined): Promise<O>;
  /**
   * Has the processor listen to its worker. At the worker's shutdown, its jobs are given back to the queue at once, and go on:
   * another worker attaches to them. So they are where the client is closed; the worker is paused then. Throws
   * `ConfigurationError` for what is no worker.
   */
  watch(this: void, worker: BullmqWorker): void;
  /** Gives all jobs back to the queue, and each that comes from now on: for the end of a process without `watch`. */
  release(this: void): void;
}

/**
 * Makes a processor for a worker of BullMQ: each job of the queue becomes a job of an endpoint, and its output the job's
 * result.
 *
 * ```ts
 * const processor = createProcessor(endpoint, { redis });
 * const worker = new Worker('images', processor, { connection: redis, concurrency: 50, ...workerOptions });
 * processor.watch(worker);
 * ```
 *
 * - What happens to a job is written beside it in Redis first. A job that is delivered again, after its worker was killed,
 *   has stalled or was shut down, is attached to, and not submitted again.
 * - A job that FAILED, or could not be followed, fails an attempt of the queue's job with the error of `Job`; the queue's
 *   `attempts` and `backoff` decide whether there is another, which submits a new job. Where another attempt would be in
 *   vain, or would pay twice unasked, it is none: the error is BullMQ's `UnrecoverableError`, with the first as its `cause`.
 * - `cancelJob`, and `worker.cancelJob(id)`, cancel the job on the server. Nothing else does: neither a lost lock nor the
 *   shutdown of the worker.
 *
 * Throws `ConfigurationError` for options that cannot work.
 */
export function createProcessor<I extends object, O, C>(
  endpoint: Endpoint<I, O, C>,
  options: ProcessorOptions<I>,
): RunpodProcessor<I, O> {
  const terms = queueTerms<BullmqJob<I>, I, O, C, ProcessorOptions<I>>(
    'createProcessor',
    endpoint,
    options,
    checksOfProcessor,
  );
  const { redis } = options;
  const released$ = new ReplaySubject<unknown>(1);
  const lost$ = new Subject<readonly string[]>();
  const workers: BullmqWorker[] = [];
  const release = () => {
    released$.next(undefined);
  };

  const process = async (job: BullmqJob<I>, token: string | undefined, signal: AbortSignal | undefined): Promise<O> => {
    const lock = token ?? job.token ?? '';
    // Another queue, which the processor may serve as well, has jobs with the same ids.
    const doubts$ = lost$.pipe(filter((ids) => ids.includes(job.id ?? '')));
    const orders$ = merge(
      released$.pipe(map(() => 'release' as const)),
      cancels(signal),
      beats(job, lock, terms, { ...options, doubts$ }),
    );
    const outcome$ = deliver(terms, options, job, lock, orders$);
    const outcome = await firstValueFrom(outcome$, { defaultValue: { type: 'lost' } as const });
    // A worker that does not shut down, such as one whose client is closed, would take the job again and again.
    if (outcome.type === 'released') for (const worker of workers) worker.pause?.(true).catch(() => undefined);
    return settle(outcome, job, lock, options);
  };

  return Object.assign(process, {
    release,
    watch: (worker: BullmqWorker) => {
      const issues = checkWorker(worker, 'worker');
      if (issues.length) throw invalidOptions('watch', issues);
      workers.push(worker);
      worker.on('closing', release);
      worker.on('lockRenewalFailed', (ids) => {
        lost$.next(ids);
      });
      worker.on('completed', (job) => {
        // The queue has the result. A row that stays costs memory, and no money.
        removeRow(redis, job).catch(() => undefined);
      });
    },
  });
}

function deliver<I extends object, O, C>(
  terms: DeliveryTerms<I, O, C>,
  { redis, request = toRequest, progress = true }: ProcessorOptions<I>,
  job: BullmqJob<I>,
  token: string,
  orders$: Observable<DeliveryOrder>,
): Observable<DeliveryOutcome<O>> {
  const { queueQualifiedName, id = '', timestamp, attemptsMade, stalledCounter } = job;
  return new JobDelivery(terms, {
    // An id may come again, in a queue that was emptied.
    key: queueKey(queueQualifiedName, id, String(timestamp)),
    request: request(job),
    row: redisRow(redis, job, token),
    attempt: deliveryOf(job),
    isOfThisAttempt: ({ attempt = '' }) => {
      const [made, stalls] = attempt.split('/').map(Number);
      // A job that somebody retries by hand may count its attempts from 0 again, but no worker was lost for that.
      return made === attemptsMade && stalledCounter > (stalls ?? 0);
    },
    orders$,
    ...(progress && { progress: (value: unknown) => (isProgress(value) ? job.updateProgress(value) : undefined) }),
  }).outcome();
}

/** Tells BullMQ how a delivery has ended. */
async function settle<I extends object, O>(
  outcome: DeliveryOutcome<O>,
  job: BullmqJob<I>,
  token: string,
  { redis }: ProcessorOptions<I>,
): Promise<O> {
  switch (outcome.type) {
    case 'ended':
      return firstValueFrom(of(outcome.snapshot).pipe(jobOutput<O>(), tap<O>(assertStorable))).catch(
        (error: unknown) => {
          throw failureOf(error);
        },
      );
    case 'failed':
      throw failureOf(outcome.error);
    case 'cancelled':
      // Where that fails, the job is cancelled all the same: another attempt would pay for it again.
      await markCancelled(redis, job, token).catch(() => undefined);
      throw unrecoverable('cancelled');
    case 'released':
      // Where that fails, the job is given to another worker when its lock is over.
      await job.moveToWait(token).catch(() => undefined);
      throw leftToQueue('the worker is shut down: another one goes on with the job');
    case 'lost':
      // Of another Redis, or with a `keyPrefix`, every job would be lost again and again.
      if (!(await hasJob(redis, job).catch(() => true)))
        throw unrecoverable(`the option redis leads to no job ${job.id ?? '?'}: it must lead to the queue's own Redis`);
      throw leftToQueue('the worker has lost the job: another one goes on with it');
  }
}

/** BullMQ fails an attempt where it cannot store the output as JSON; another one would pay again, to no avail. */
function assertStorable(output: unknown): void {
  try {
    JSON.stringify(output);
  } catch (error) {
    throw unrecoverable(`the output cannot be stored as JSON: ${(error as Error).message}`, error);
  }
}

function failureOf(error: unknown): unknown {
  return isFinalFailure(error) ? unrecoverable((error as Error).message, error) : error;
}

function cancels(signal: AbortSignal | undefined): Observable<'cancel'> {
  if (!signal) return EMPTY;
  const aborted$: Observable<unknown> = signal.aborted ? of(undefined) : fromEvent(signal, 'abort');
  return aborted$.pipe(map(() => 'cancel'));
}

/** Looks regularly, and where there is a doubt, whether the worker still has the job, and whether it is to be cancelled. */
function beats<I extends object, O, C>(
  job: BullmqJob<I>,
  token: string,
  { scheduler }: DeliveryTerms<I, O, C>,
  { redis, heartbeat = 5_000, doubts$ }: ProcessorOptions<I> & { readonly doubts$: Observable<unknown> },
): Observable<DeliveryOrder> {
  return merge(timer(0, heartbeat, scheduler), doubts$).pipe(
    // Redis may be away for a while.
    exhaustMap(() => eventually(() => standing(redis, job, token)).pipe(catchError(() => EMPTY))),
    filter((found) => found !== 'owned'),
  );
}

function toRequest<I extends object>({ data }: BullmqJob<I>): JobRequest<I> {
  return { input: data };
}

function isProgress(value: unknown): value is string | boolean | number | object {
  return value !== null && ['string', 'boolean', 'number', 'object'].includes(typeof value);
}
