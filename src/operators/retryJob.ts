import {
  EMPTY,
  asyncScheduler,
  concatMap,
  defer,
  first,
  of,
  repeat,
  switchMap,
  tap,
  timer,
  type MonoTypeOperatorFunction,
  type Observable,
  type SchedulerLike,
} from 'rxjs';
import { sameJson } from '../protocol/json.js';
import { MAX_TIMER } from '../protocol/limits.js';
import { isTerminal } from '../protocol/snapshot.js';
import type { FailedSnapshot, JobSnapshot, TimedOutSnapshot } from '../types/JobSnapshot.js';
import type { JobRetrier, JobWatcher } from '../types/ports.js';
import { untilTerminal } from './untilTerminal.js';

/** How long to wait before a job is read again that still says what it said before it was retried, in milliseconds. */
const LOOK_AGAIN = 1000;

/** Options of {@link retryJob}; all durations in milliseconds. */
export interface RetryJobOptions {
  /**
   * How often the job is run again at most. Each time is paid.
   * @defaultValue 1
   */
  readonly count?: number;
  /**
   * From the failure to the `/retry`.
   * @defaultValue 0
   */
  readonly delay?: number;
  /**
   * Whether this failure is worth another run; an input that the worker rejects will be rejected again.
   * @defaultValue every FAILED and TIMED_OUT
   */
  readonly when?: (snapshot: FailedSnapshot | TimedOutSnapshot) => boolean;
  /**
   * How long after the answer to `/retry` a failure that says just what an earlier one said is taken for that one.
   * @defaultValue 10 000
   */
  readonly lag?: number;
  /** @defaultValue `asyncScheduler` */
  readonly scheduler?: SchedulerLike;
}

/**
 * Runs a job again on the service when it ends FAILED or TIMED_OUT, under its id and with its original input, and goes on
 * with its snapshots.
 *
 * ```ts
 * endpoint.watch(id).pipe(retryJob(endpoint, { count: 2 }), jobOutput());
 * ```
 *
 * - The snapshot of a failure that is retried is not passed on; the answer to `/retry` is, and what `watch(id)` then
 *   emits. The source is not subscribed to again, so it may begin with a submission, which is not repeated.
 * - COMPLETED and CANCELLED end it, and so does a failure when `count` is used up or `when` says no: that snapshot is the
 *   last. So is an answer to `/retry` that says that the job is over.
 * - `/retry` is a submission and costs money: its error goes through, and this operator does not repeat it. Other errors
 *   go through as well.
 * - The service may show the earlier failure for a moment after `/retry`, and a webhook may bring it late. A failure with
 *   the status, error, `delayTime` and `executionTime` of an earlier one is taken for that one for `lag`, and the job is
 *   read again after a second. Nothing else tells the two apart: a run that fails just like the one before is known to
 *   have failed only when `lag` is over, and an earlier failure that shows later than that, or in other words, counts
 *   as a new one.
 *
 * Unsubscribing while it waits keeps `/retry` from being sent; while that is on its way, it acts as leaving
 * `retrier.retry` does (an `Endpoint` then cancels the job); later it leaves `watch` and does nothing to the job. To have
 * the job cancelled, put `cancelOnUnsubscribe` after this operator.
 */
export function retryJob<O>(
  retrier: JobRetrier<O> & JobWatcher<O>,
  { count = 1, delay = 0, when = () => true, lag = 10_000, scheduler = asyncScheduler }: RetryJobOptions = {},
): MonoTypeOperatorFunction<JobSnapshot<O>> {
  const after = (ms: number, then: () => Observable<JobSnapshot<O>>) =>
    timer(Math.min(ms, MAX_TIMER), scheduler).pipe(switchMap(then));

  return (source) =>
    defer(() => {
      const failures: unknown[] = [];
      let answered = -Infinity;
      let next$: Observable<JobSnapshot<O>> | undefined = source;

      const judge = (snapshot: JobSnapshot<O>): Observable<JobSnapshot<O>> => {
        if (snapshot.status !== 'FAILED' && snapshot.status !== 'TIMED_OUT') return of(snapshot);
        const { id } = snapshot;
        const failure = marksOf(snapshot);
        if (scheduler.now() < answered + lag && failures.some((earlier) => sameJson(earlier, failure))) {
          next$ = after(LOOK_AGAIN, () => retrier.watch(id));
          return EMPTY;
        }
        if (failures.length >= count || !when(snapshot)) return of(snapshot);
        failures.push(failure);
        return after(delay, () => retrier.retry(id)).pipe(
          first(),
          tap((answer) => {
            answered = scheduler.now();
            if (!isTerminal(answer)) next$ = defer(() => retrier.watch(id));
          }),
        );
      };

      return defer(() => {
        const turn$ = next$ ?? EMPTY;
        next$ = undefined;
        return turn$;
      }).pipe(untilTerminal(), concatMap(judge), repeat({ delay: () => (next$ ? of(0) : EMPTY) }));
    });
}

/** What tells one failure of a job from another; a webhook says these as `/status` does, and leaves others out. */
function marksOf({ rawStatus, error, delayTime, executionTime }: FailedSnapshot | TimedOutSnapshot): unknown {
  return [rawStatus, error?.raw, delayTime, executionTime];
}
