import { EMPTY, Observable, defer, ignoreElements } from 'rxjs';
import { invalidOptions, assertOptions } from '../errors/invalidOptions.js';
import {
  ConfigurationError,
  type Endpoint,
  type JobRequest,
  type JobSnapshot,
  type PipelineItem,
  type Runner,
} from '../index.js';
import { must } from '../protocol/checks.js';
import { eventually } from '../server/eventually.js';
import { durationScheduler, wallClockOf } from '../time/clocks.js';
import { MAX_KEY, isKey } from './durableKey.js';
import { DurableJob } from './DurableJob.js';
import { checksOfDurable, type DurableOptions } from './DurableOptions.js';
import type { Departure, DurableTerms } from './DurableTerms.js';
import { isNotAccepted } from './rowChanges.js';
import { storeUse, type KeyInUse } from './storeUse.js';

/** A runner for `runAll` and `runEach` that remembers its jobs. */
export interface DurableRunner<I extends object = Record<string, unknown>, O = unknown> extends Runner<I, O> {
  readonly committed: NonNullable<Runner<I, O>['committed']>;
  /**
   * From now on, jobs that are left are not cancelled: they go on, and the next run attaches to them; what was not sent yet is
   * withdrawn. For the end of a process that is started again, such as at a deploy.
   */
  detachOnLeave(this: void): void;
  /**
   * Completes once every job that was left is cancelled, as far as it could be, and that is in the store; and what was detached
   * while it was sent has its id there. For the end of a process. Emits nothing and never errors.
   */
  settled(this: void): Observable<never>;
}

/**
 * Runs jobs so that they survive a crash: what happens to each is written to a store first, and what the store says decides
 * at the next start.
 *
 * ```ts
 * const jobs = durable(endpoint, { store: fileStore('jobs.journal'), key: ({ input }) => input.orderId });
 * runAll(jobs, requests).subscribe((item) => console.log(item.ok));
 * ```
 *
 * - A job that has ended is not run again: its result is given again, or its input is skipped (`ended`).
 * - A job that was submitted is attached to.
 * - A job that was sent, and whose answer was lost, is ambiguous: it waits for its webhook, fails, or is submitted again, as
 *   `ambiguous` says, and never unasked.
 * - A job that this side has cancelled is run again.
 *
 * Emits the terminal snapshot of the job, and completes. Errors as `Job` does; with `ConfigurationError` where the key has
 * another input or is in use, `SubmissionUnknownError` where the job is ambiguous, `HookError` where the store fails, and
 * `SkippedError`. Unsubscribing cancels the job, or leaves it running (`job.onUnsubscribe`).
 *
 * Streams are not durable: the service hands out each chunk once. Throws `ConfigurationError` for options that cannot work.
 */
export function durable<I extends object, O, C>(
  endpoint: Endpoint<I, O, C>,
  options: DurableOptions<I>,
): DurableRunner<I, O> {
  assertOptions('durable', options, checksOfDurable);
  const isEndpoint = typeof (Object(endpoint) as Partial<typeof endpoint>).attach === 'function';
  const issues = must(isEndpoint, 'endpoint', endpoint, 'be an endpoint of a client');
  if (issues.length) throw invalidOptions('durable', issues);
  const { store, webhooks, ended = 'again' } = options;
  const scheduler = durationScheduler(options.scheduler);
  const { keys, pending } = storeUse(store);
  /** Requests whose results were given. The others have none that could be committed, though their keys may. */
  const given = new WeakSet();
  /** Requests whose job has just failed: a pipeline may give them again. */
  const failed = new WeakSet();
  const departure: Departure = { detaches: false };
  const terms: Omit<DurableTerms<I, O, C>, 'onBehalf'> = {
    ...options,
    endpoint,
    ended,
    ambiguous: options.ambiguous ?? (webhooks ? 'wait' : 'fail'),
    grace: options.grace ?? 1_800_000,
    scheduler,
    wallNow: wallClockOf(options.scheduler),
    pending,
    departure,
  };
  const keyOf = (request: JobRequest<I>): string => {
    const key: unknown = options.key(request);
    if (!isKey(key)) throw refused(`key must give text of 1 to ${MAX_KEY} characters, without half surrogate pairs`);
    return key;
  };
  const refused = (message: string, tag?: string) =>
    new ConfigurationError(message, { operation: 'run', endpointId: endpoint.id, accepted: 'no', tag });

  const run = (request: JobRequest<I>, index: number, attempt = 1): Observable<JobSnapshot<O>> => {
    // The job is made when the store has answered.
    const onBehalf = endpoint.bindCaller();
    return new Observable((subscriber) => {
      const key = keyOf(request);
      const before = keys.get(key);
      if (before)
        throw refused(`the key ${key} is that of input ${before.index}, whose job runs: give each input a key`, key);
      const use: KeyInUse = { index };
      keys.set(key, use);
      const free = () => {
        if (keys.get(key) === use) keys.delete(key);
      };
      const requested = Object(request) as object;
      // The first attempt of a pipeline is no retry, whatever has become of the request in another.
      const isRetry = attempt > 1 && failed.has(requested);
      failed.delete(requested);
      const durableJob = new DurableJob({ ...terms, onBehalf }, key, request);
      subscriber.add(
        durableJob.run({ isRetry }).subscribe({
          next: (snapshot) => {
            if (snapshot.status !== 'COMPLETED') failed.add(requested);
            given.add(requested);
            free();
            subscriber.next(snapshot);
          },
          error: (error: unknown) => {
            failed.add(requested);
            if (!isNotAccepted(error)) given.add(requested);
            free();
            subscriber.error(error);
          },
          complete: () => {
            subscriber.complete();
          },
        }),
      );
      subscriber.add(free);
    });
  };

  return Object.assign(run, {
    committed: (item: PipelineItem<I, O>): Observable<never> =>
      defer(() => {
        const key = options.key(item.request);
        // An input that was refused, as its key is in use, has no result. Another pipeline may have been given one.
        const hasResult = given.has(item.request) && (item.ok || !isNotAccepted(item.error));
        return ended === 'skip' && hasResult && isKey(key)
          ? eventually(() => store.commit(key)).pipe(ignoreElements())
          : EMPTY;
      }),
    bindCaller: () => endpoint.bindCaller(),
    detachOnLeave: () => {
      departure.detaches = true;
    },
    settled: () => pending.settled(scheduler),
  });
}
