import { NEVER, catchError, defer, filter, map, of, switchMap, takeUntil, throwError, timer } from 'rxjs';
import type { Observable, SchedulerLike } from 'rxjs';
import { ConfigurationError } from '../errors/ConfigurationError.js';
import { RunpodError } from '../errors/RunpodError.js';
import { SkippedError } from '../errors/SkippedError.js';
import { invalidOptions } from '../errors/invalidOptions.js';
import { withDetails } from '../errors/withDetails.js';
import { jobError } from '../errors/jobError.js';
import { callback, mustBe, scheduler as isScheduler, type Checks } from '../protocol/checkOptions.js';
import { must } from '../protocol/checks.js';
import { MAX_TIMER } from '../protocol/limits.js';
import { isTerminal } from '../protocol/snapshot.js';
import type { JobSnapshot } from '../types/JobSnapshot.js';
import type { JobExecutor } from '../types/ports.js';
import { assertRunner } from './checkPipelineOptions.js';
import type { Runner } from './Runner.js';
import { durationScheduler } from '../time/clocks.js';
import { bindCallers, boundRunner, currentSnapshot, runnerOf, tellCommitted, toEnd } from './runnerOf.js';

/** Options of {@link failover}; all durations in milliseconds. */
export interface FailoverOptions {
  /**
   * Whether to go on to the next runner after this error. For a job that ended FAILED, CANCELLED or TIMED_OUT, the error
   * is the one that `jobOutput` makes. That job may have run, and the next one is paid as well. Not asked about an input that
   * a runner skips (`SkippedError`): no runner runs it.
   * @defaultValue where the job cannot have been accepted: the error's `accepted` is `'no'`
   */
  readonly on?: (error: unknown) => boolean;
  /**
   * How long a job may wait for a worker. After that it is cancelled, and the next runner runs it. Where the runner is an
   * endpoint, the job is read once more before.
   * @defaultValue `Infinity`: for ever
   */
  readonly queue?: number;
  /**
   * Receives each error after which the next runner is used.
   * @defaultValue none
   */
  readonly onError?: (error: unknown) => void;
  /** @defaultValue `asyncScheduler` */
  readonly scheduler?: SchedulerLike;
}

const FAILOVER: Checks<FailoverOptions> = {
  on: callback,
  queue: mustBe(
    'a number of milliseconds of at least 0, or Infinity',
    (value) => typeof value === 'number' && value >= 0,
  ),
  onError: callback,
  scheduler: isScheduler,
};

/** What one runner has done with the job so far. */
interface RunnerState<O> {
  /** Whether the job still waits for a worker, as far as is known. */
  queued: boolean;
  /** The job's last snapshot. */
  last?: JobSnapshot<O>;
  /** Whether it waited for longer than the option `queue` allows. */
  timedOut: boolean;
  /** The end of a job that did not complete, and the error made of it. */
  failedEnd?: { readonly snapshot: JobSnapshot<O>; readonly error: RunpodError };
}

/**
 * Makes a runner that gives the job to the next runner where one refuses it.
 *
 * ```ts
 * runAll(failover([endpoint, another]), requests);
 * ```
 *
 * - Goes on only where the job cannot have been accepted, so that nothing is paid twice, unless `on` or `queue` allow more.
 * - Emits the snapshots of one runner after the other, told apart by their ids. A terminal snapshot is the last. The end
 *   of the last runner's job is final.
 *
 * Throws `ConfigurationError` for options that cannot work. Unsubscribing unsubscribes from the current runner, which cancels its job.
 */
export function failover<I extends object, O>(
  runners: readonly (JobExecutor<I, O> | Runner<I, O>)[],
  options: FailoverOptions = {},
): Runner<I, O> {
  const issues = must(Array.isArray(runners), 'runners', runners, 'be a list of endpoints or functions');
  if (issues.length) throw invalidOptions('failover', issues);
  for (const runner of runners) assertRunner('failover', runner, options, FAILOVER);
  const { on = isRefused, queue = Infinity, onError, scheduler: given } = options;
  const plain = runners.map((runner) => runnerOf(runner));
  /** A callback that throws ends the item, which still names the job: it may run. */
  const goesOn = (error: unknown): boolean => {
    // The input has its result: nobody is to run it again.
    if (error instanceof SkippedError) return false;
    try {
      const wanted = on(error);
      if (wanted) onError?.(error);
      return wanted;
    } catch (thrown) {
      throw callbackFailed(error, thrown);
    }
  };
  const scheduler = durationScheduler(given);
  const run: Runner<I, O> = (request, index, attempt) => {
    // The later runners are called later.
    const runs = plain.map((runner) => boundRunner(runner));
    const runFrom = (position: number): Observable<JobSnapshot<O>> => {
      const next = runs[position];
      if (!next)
        return throwError(() => new ConfigurationError('failover was given no runners', { operation: 'failover' }));
      const job$ = toEnd(() => next(request, index, attempt));
      if (position === runs.length - 1) return job$;
      return defer(() => {
        const state: RunnerState<O> = { queued: true, timedOut: false };
        const queueTimeout$ = timer(Math.min(queue, MAX_TIMER), scheduler).pipe(
          filter(() => state.queued),
          // A worker may have taken it since it was last read: it costs money then, and runs on.
          switchMap(() => currentSnapshot(runners[position] as JobExecutor<I, O>, state.last)),
          filter((snapshot) => state.queued && (!snapshot || snapshot.status === 'IN_QUEUE')),
          map((): never => {
            state.timedOut = true;
            throw new Error('the job waited too long');
          }),
        );
        const attempt$ = job$.pipe(
          map((snapshot) => {
            state.queued = snapshot.status === 'IN_QUEUE';
            state.last = snapshot;
            if (!isTerminal(snapshot) || snapshot.status === 'COMPLETED') return snapshot;
            const error = jobError(snapshot, { operation: 'status' });
            state.failedEnd = { snapshot, error };
            throw error;
          }),
          takeUntil(queue === Infinity ? NEVER : queueTimeout$),
        );
        return attempt$.pipe(
          catchError((error: unknown) => {
            if (state.timedOut) return runFrom(position + 1);
            if (goesOn(error)) return runFrom(position + 1);
            // A job that failed is data, not an error.
            const { failedEnd } = state;
            return failedEnd && error === failedEnd.error ? of(failedEnd.snapshot) : throwError(() => error);
          }),
        );
      });
    };
    return runFrom(0);
  };
  return Object.assign(run, { bindCaller: () => bindCallers(plain), committed: tellCommitted(plain) });
}

/** The error where a callback throws: it keeps what the job's error says of the job, which may run. */
function callbackFailed(error: unknown, cause: unknown): ConfigurationError {
  const { jobId, ref, accepted } = Object(error) as Partial<RunpodError>;
  const context = { operation: 'failover', jobId, accepted, cause };
  return withDetails(new ConfigurationError('on or onError of failover failed', context), { ref });
}

function isRefused(error: unknown): boolean {
  return error instanceof RunpodError && error.accepted === 'no';
}
