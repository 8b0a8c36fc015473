import { NEVER, asyncScheduler, catchError, defer, filter, map, of, takeUntil, throwError, timer } from 'rxjs';
import type { Observable, SchedulerLike } from 'rxjs';
import { ConfigurationError } from '../errors/ConfigurationError.js';
import { RunpodError } from '../errors/RunpodError.js';
import { jobError } from '../errors/jobError.js';
import { MAX_TIMER } from '../protocol/limits.js';
import { isTerminal } from '../protocol/snapshot.js';
import type { JobSnapshot } from '../types/JobSnapshot.js';
import type { Runner } from '../types/pipelines.js';
import type { JobExecutor } from '../types/ports.js';
import { runnerOf, toEnd } from './runnerOf.js';

/** Options of {@link failover}; all durations in milliseconds. */
export interface FailoverOptions {
  /**
   * Whether to go on after this error; of a job that ended FAILED, CANCELLED or TIMED_OUT, it is the one that
   * `jobOutput` makes. Such a job may have run, and the next is paid as well.
   * @defaultValue where the job cannot have been taken: `accepted` is `'no'`
   */
  readonly on?: (error: unknown) => boolean;
  /**
   * After how long a job that no worker has taken yet is cancelled there, and run by the next.
   * @defaultValue never
   */
  readonly queue?: number;
  /**
   * Hears of each error that made it go on.
   * @defaultValue none
   */
  readonly onError?: (error: unknown) => void;
  /** @defaultValue `asyncScheduler` */
  readonly scheduler?: SchedulerLike;
}

/** How a job ended otherwise than COMPLETED, as data and as an error. */
interface FailedEnd<O> {
  readonly snapshot: JobSnapshot<O>;
  readonly error: RunpodError;
}

/**
 * Makes a runner that goes to the next one where one refuses the job.
 *
 * ```ts
 * runAll(failover([endpoint, another]), requests);
 * ```
 *
 * - It goes on only where the job cannot have been taken, so that nothing is paid twice, unless `on` or `queue` say more.
 * - Emits the snapshots of one after the other, told apart by their ids; a terminal one is the last. What the last runner
 *   ends with is final.
 *
 * Unsubscribing leaves the one that runs, which cancels its job.
 */
export function failover<I extends object, O>(
  runners: readonly (JobExecutor<I, O> | Runner<I, O>)[],
  { on = isRefused, queue, onError, scheduler = asyncScheduler }: FailoverOptions = {},
): Runner<I, O> {
  const runs = runners.map((runner) => runnerOf(runner));
  return (request, index) => {
    const from = (turn: number): Observable<JobSnapshot<O>> => {
      const run = runs[turn];
      if (!run)
        return throwError(() => new ConfigurationError('failover was given no runners', { operation: 'failover' }));
      const job$ = toEnd(() => run(request, index));
      if (turn === runs.length - 1) return job$;
      const next = (cause?: unknown) => {
        if (cause !== undefined) onError?.(cause);
        return from(turn + 1);
      };
      return defer(() => {
        let queued = true;
        let waited = false;
        let failed: FailedEnd<O> | undefined;
        const waited$ = timer(Math.min(queue ?? 0, MAX_TIMER), scheduler).pipe(
          filter(() => queued),
          map((): never => {
            waited = true;
            throw new Error('the job waited too long');
          }),
        );
        const here$ = job$.pipe(
          map((snapshot) => {
            queued = snapshot.status === 'IN_QUEUE';
            if (!isTerminal(snapshot) || snapshot.status === 'COMPLETED') return snapshot;
            const error = jobError(snapshot, { operation: 'status' });
            failed = { snapshot, error };
            throw error;
          }),
          takeUntil(queue === undefined ? NEVER : waited$),
        );
        return here$.pipe(
          catchError((error: unknown) => {
            if (waited) return next();
            if (on(error)) return next(error);
            // A job that failed is data.
            return failed?.error === error ? of((failed as FailedEnd<O>).snapshot) : throwError(() => error);
          }),
        );
      });
    };
    return from(0);
  };
}

function isRefused(error: unknown): boolean {
  return error instanceof RunpodError && error.accepted === 'no';
}
