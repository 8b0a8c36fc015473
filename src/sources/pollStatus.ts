import { defer, distinctUntilChanged, takeWhile, type Observable, type SchedulerLike } from 'rxjs';
import { assertOptions } from '../errors/invalidOptions.js';
import {
  callback,
  duration,
  mustBe,
  observable,
  scheduler as isScheduler,
  type Checks,
} from '../protocol/checkOptions.js';
import { sameJson } from '../protocol/json.js';
import { isTerminal } from '../protocol/snapshot.js';
import type { JobSnapshot } from '../types/JobSnapshot.js';
import { poll } from './poll.js';
import { durationScheduler, timeOfDate, wallClockOf } from '../time/clocks.js';
import { adaptivePolicy, policyDelay, policyOf } from './PollPolicy.js';
import type { PollPolicy } from '../types/PollPolicy.js';

/** Options of {@link pollStatus}; all durations in milliseconds. */
export interface PollStatusOptions {
  /**
   * A fixed delay after each answer: the greatest age that a snapshot reaches. Takes precedence over `poll`.
   * @defaultValue none: `poll` decides
   */
  readonly every?: number;
  /**
   * Decides the delay after each answer.
   * @defaultValue `adaptivePolicy()`: a tenth of the job's age, within 0.5 – 5 s, ± 15 %
   */
  readonly poll?: PollPolicy;
  /**
   * How long reads may fail in a row before their error goes through, counted from the first failure. One failure alone
   * never goes through.
   * @defaultValue 300 000
   */
  readonly outage?: number;
  /**
   * When the job was submitted, in milliseconds since 1970 (by `now()` of a scheduler of your own): the job's age counts
   * from then.
   * @defaultValue the moment of the subscription
   */
  readonly submittedAt?: number;
  /**
   * Hints that the job may have changed, such as webhooks; what they emit does not count. Each hurries the next read, which
   * is made no sooner than half a second after the last answer.
   */
  readonly notices?: Observable<unknown>;
  /** @defaultValue `asyncScheduler` */
  readonly scheduler?: SchedulerLike;
}

const POLL_STATUS: Checks<PollStatusOptions> = {
  every: duration,
  poll: callback,
  outage: duration,
  submittedAt: mustBe('a number of milliseconds', Number.isFinite),
  notices: observable,
  scheduler: isScheduler,
};

/**
 * Polls a job until it is over: reads at once, then again after a delay from each answer.
 *
 * ```ts
 * pollStatus(() => endpoint.status(id), { every: 5000 });
 * ```
 *
 * It differs from `interval` + `switchMap` + `takeWhile` in that an answer slower than the delay still counts: one read is
 * in flight at a time, and the delay begins with its answer.
 *
 * - Emits a snapshot when it differs from the snapshot before. Completes after the terminal snapshot.
 * - A failed job is no error here; see `jobOutput`.
 * - Reads go on through errors that are `retryable` for `outage`; any other error goes through at once. Where the function
 *   `poll` throws, it errors with `ConfigurationError`.
 * - Throws `ConfigurationError` for options that cannot work.
 * - Unsubscribing aborts the read in flight and does nothing to the job.
 */
export function pollStatus<O>(
  read: () => Observable<JobSnapshot<O>>,
  options: PollStatusOptions = {},
): Observable<JobSnapshot<O>> {
  assertOptions('pollStatus', options, POLL_STATUS);
  const { outage = 300_000, notices } = options;
  const scheduler = durationScheduler(options.scheduler);
  const policy = policyOf(options) ?? adaptivePolicy();
  return defer(() => {
    const { submittedAt } = options;
    const since =
      submittedAt === undefined ? scheduler.now() : timeOfDate(submittedAt, scheduler, wallClockOf(options.scheduler));
    return poll(read, {
      delay: (snapshot, failures) => {
        const given = { age: scheduler.now() - since, failures, ...(snapshot && { snapshot }) };
        return policyDelay(policy, given, { operation: 'status', jobId: snapshot?.id });
      },
      outage,
      scheduler,
      notices,
    }).pipe(
      takeWhile((snapshot) => !isTerminal(snapshot), true),
      distinctUntilChanged((a, b) => sameJson(a.raw, b.raw)),
    );
  });
}
