import { asyncScheduler, defer, distinctUntilChanged, takeWhile, type Observable, type SchedulerLike } from 'rxjs';
import { sameJson } from '../protocol/json.js';
import { isTerminal } from '../protocol/snapshot.js';
import type { JobSnapshot } from '../types/JobSnapshot.js';
import { poll } from './poll.js';
import { adaptivePolicy, policyOf } from './PollPolicy.js';
import type { PollPolicy } from '../types/PollPolicy.js';

/** Options of {@link pollStatus}; all durations in milliseconds. */
export interface PollStatusOptions<O = unknown> {
  /**
   * A fixed delay after each answer, as the greatest age a snapshot may reach. Takes precedence over `poll`.
   * @defaultValue none: `poll` decides
   */
  readonly every?: number;
  /**
   * Decides the delay after each answer.
   * @defaultValue `adaptivePolicy()`: a tenth of the job's age, within 0.5 – 5 s, ± 15 %
   */
  readonly poll?: PollPolicy;
  /**
   * How long reads may fail in a row before their error goes through, counted from the last good answer.
   * @defaultValue 300 000
   */
  readonly outage?: number;
  /** When the job was submitted, as `scheduler.now()`; the job's age counts from the subscription where it is not given. */
  readonly submittedAt?: number;
  /** Snapshots from elsewhere, such as a webhook: each counts as an answer, and postpones the next read. */
  readonly notices?: Observable<JobSnapshot<O>>;
  /** @defaultValue `asyncScheduler` */
  readonly scheduler?: SchedulerLike;
}

/**
 * Polls a job until it is over: reads at once, then again a while after each answer.
 *
 * ```ts
 * pollStatus(() => endpoint.status(id), { every: 5000 });
 * ```
 *
 * It is `interval` + `switchMap` + `takeWhile`, built so that it cannot starve: one read is in flight at a time, and a
 * reply slower than the delay still counts.
 *
 * - Emits a snapshot when it differs from the one before; the terminal one is the last, then it completes.
 * - A failed job is data here, not an error; see `jobOutput`.
 * - Errors of reading that may pass (`retryable`) are ridden out for `outage`; any other goes through at once.
 * - Unsubscribing aborts the read in flight and does nothing to the job.
 */
export function pollStatus<O>(
  read: () => Observable<JobSnapshot<O>>,
  options: PollStatusOptions<O> = {},
): Observable<JobSnapshot<O>> {
  const { outage = 300_000, notices, scheduler = asyncScheduler } = options;
  const policy = policyOf(options) ?? adaptivePolicy();
  return defer(() => {
    const since = options.submittedAt ?? scheduler.now();
    return poll(read, {
      delay: (snapshot, failures) => policy({ age: scheduler.now() - since, failures, ...(snapshot && { snapshot }) }),
      outage,
      scheduler,
      ...(notices && { notices }),
    }).pipe(
      takeWhile((snapshot) => !isTerminal(snapshot), true),
      distinctUntilChanged((a, b) => sameJson(a.raw, b.raw)),
    );
  });
}
