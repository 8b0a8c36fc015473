import {
  EMPTY,
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
import { assertOptions } from '../errors/invalidOptions.js';
import {
  callback,
  countOrInfinity,
  duration,
  longDuration,
  scheduler as isScheduler,
  type Checks,
} from '../protocol/checkOptions.js';
import { sameJson } from '../protocol/json.js';
import { MAX_TIMER } from '../protocol/limits.js';
import { isTerminal } from '../protocol/snapshot.js';
import type { FailedSnapshot, JobSnapshot, TimedOutSnapshot } from '../types/JobSnapshot.js';
import type { JobRetrier, JobWatcher } from '../types/ports.js';
import { durationScheduler } from '../time/clocks.js';
import { untilTerminal } from './untilTerminal.js';

/** The pause before a job is read again that still shows its earlier failure, in milliseconds. */
const STALE_FAILURE_PAUSE = 1000;

/** Options of {@link retryJob}; all durations in milliseconds. */
export interface RetryJobOptions {
  /**
   * How often the job is run again at most. Each run is billed.
   * @defaultValue 1
   */
  readonly count?: number;
  /**
   * The delay from the failure to the `/retry`.
   * @defaultValue 0
   */
  readonly delay?: number;
  /**
   * Whether the job is run again after this failure. An input that the worker rejects will be rejected again.
   * @defaultValue every FAILED and TIMED_OUT
   */
  readonly when?: (snapshot: FailedSnapshot | TimedOutSnapshot) => boolean;
  /**
   * How long after the answer to `/retry` a failure that equals an earlier failure is taken for the earlier one.
   * @defaultValue 10 000
   */
  readonly lag?: number;
  /** @defaultValue `asyncScheduler` */
  readonly scheduler?: SchedulerLike;
}

const RETRY_JOB: Checks<RetryJobOptions> = {
  count: countOrInfinity(0),
  delay: longDuration,
  when: callback,
  lag: duration,
  scheduler: isScheduler,
};

/**
 * Runs a job again when it ends FAILED or TIMED_OUT, by a `/retry` with its id, and goes on with its snapshots. The service
 * runs it with its original input.
 *
 * ```ts
 * endpoint.watch(id).pipe(retryJob(endpoint, { count: 2 }), jobOutput());
 * ```
 *
 * - The snapshot of a failure that is retried is not emitted. The answer to `/retry` is emitted, then the snapshots of
 *   `watch(id)`. The source is subscribed to once, so a submission that it begins with is not repeated.
 * - Completes after a snapshot that is COMPLETED or CANCELLED, after a failure when `count` is used up or `when` returns
 *   false, and after an answer to `/retry` that is terminal.
 * - `/retry` is a submission and costs money: its error goes through, and this operator does not repeat it. All other
 *   errors go through as well.
 * - The service may show the earlier failure for a moment after `/retry`, and a webhook may bring it late. For `lag`, a
 *   failure whose status, error, `delayTime` and `executionTime` equal those of an earlier failure is taken for that
 *   failure, and the job is read again after a second. Nothing else tells the two apart. So a run that fails just as the
 *   run before is seen to have failed only when `lag` is over. An earlier failure that is seen after `lag`, or with other
 *   values, counts as a new failure.
 *
 * Unsubscribing during the delay prevents the `/retry`. While the `/retry` is in flight, unsubscribing acts as
 * unsubscribing from `retrier.retry` does (an `Endpoint` then cancels the job). Later it unsubscribes from `watch(id)` and
 * does nothing to the job. To have the job cancelled, put `cancelOnUnsubscribe` after this operator.
 *
 * Throws `ConfigurationError` for options that cannot work.
 */
export function retryJob<O>(
  retrier: JobRetrier<O> & JobWatcher<O>,
  options: RetryJobOptions = {},
): MonoTypeOperatorFunction<JobSnapshot<O>> {
  assertOptions('retryJob', options, RETRY_JOB);
  const { count = 1, delay = 0, when = () => true, lag = 10_000, scheduler: given } = options;
  const scheduler = durationScheduler(given);
  const afterDelay = (ms: number, then: () => Observable<JobSnapshot<O>>) =>
    timer(Math.min(ms, MAX_TIMER), scheduler).pipe(switchMap(then));

  return (source) =>
    defer(() => {
      const failures: unknown[] = [];
      let lastRetryAt = -Infinity;
      /** Where the snapshots come from next; `undefined` when the job is over. */
      let next$: Observable<JobSnapshot<O>> | undefined = source;

      /** Emits the snapshot, or retries the job instead. */
      const judge = (snapshot: JobSnapshot<O>): Observable<JobSnapshot<O>> => {
        if (snapshot.status !== 'FAILED' && snapshot.status !== 'TIMED_OUT') return of(snapshot);
        const { id } = snapshot;
        const failure = identityOf(snapshot);
        const lagging = scheduler.now() < lastRetryAt + lag;
        if (lagging && failures.some((earlier) => sameJson(earlier, failure))) {
          next$ = afterDelay(STALE_FAILURE_PAUSE, () => retrier.watch(id));
          return EMPTY;
        }
        if (failures.length >= count || !when(snapshot)) return of(snapshot);
        failures.push(failure);
        return afterDelay(delay, () => retrier.retry(id)).pipe(
          first(),
          tap((answer) => {
            lastRetryAt = scheduler.now();
            if (!isTerminal(answer)) next$ = defer(() => retrier.watch(id));
          }),
        );
      };

      const takeNext$ = defer(() => {
        const current$ = next$ ?? EMPTY;
        next$ = undefined;
        return current$;
      });
      return takeNext$.pipe(
        untilTerminal(),
        concatMap(judge),
        // Where the notifier completes without a value, `repeat` completes.
        repeat({ delay: () => (next$ ? of(0) : EMPTY) }),
      );
    });
}

/** The members that tell one failure of a job from another. A webhook has these as `/status` does, and lacks others. */
function identityOf({ rawStatus, error, delayTime, executionTime }: FailedSnapshot | TimedOutSnapshot): unknown {
  return [rawStatus, error?.raw, delayTime, executionTime];
}
