import {
  catchError,
  defaultIfEmpty,
  defer,
  map,
  of,
  retry,
  takeUntil,
  throwError,
  timer,
  type Observable,
  type SchedulerLike,
} from 'rxjs';
import { HttpError } from '../errors/HttpError.js';
import { AuthenticationError } from '../errors/AuthenticationError.js';
import { JobExpiredError } from '../errors/JobExpiredError.js';
import { JobNotFoundError } from '../errors/JobNotFoundError.js';
import { NotFoundError } from '../errors/NotFoundError.js';
import { ResponseError } from '../errors/ResponseError.js';
import { isTerminal } from '../protocol/snapshot.js';
import type { JobSnapshot } from '../types/JobSnapshot.js';
import type { SettleReport } from '../types/SettleReport.js';

/** After how long the cancel of a job that was left is given up, in milliseconds. */
const GIVE_UP = 600_000;
const LONGEST_PAUSE = 30_000;

/**
 * Cancels a job that nobody waits for, until it is cancelled or known to be over: it may run, and cost. Emits what
 * became of it and completes; never errors. Given up when the key is refused, and after ten minutes.
 */
export function settleJob(
  cancel: () => Observable<JobSnapshot>,
  status: () => Observable<JobSnapshot>,
  scheduler: SchedulerLike,
): Observable<keyof SettleReport> {
  return defer(cancel).pipe(
    map((snapshot) => (isTerminal(snapshot) && snapshot.status !== 'CANCELLED' ? 'finished' : 'cancelled')),
    catchError((error: unknown) => {
      if (error instanceof ResponseError) return of('cancelled' as const);
      if (isGone(error)) return of('finished' as const);
      if (error instanceof AuthenticationError || error instanceof NotFoundError) return of('abandoned' as const);
      // What the service says to a job that is over already is not documented: the job itself tells.
      return error instanceof HttpError && !error.retryable ? ifOver(status, error) : throwError(() => error);
    }),
    retry({
      delay: (error: unknown, count) =>
        timer(
          Math.min(
            GIVE_UP,
            Math.max(
              Math.min(LONGEST_PAUSE, 500 * 2 ** count),
              error instanceof HttpError ? (error.retryAfter ?? 0) : 0,
            ),
          ),
          scheduler,
        ),
    }),
    // Also where a cancel hangs before it is sent, as a key that does not come.
    takeUntil(timer(GIVE_UP, scheduler)),
    defaultIfEmpty('abandoned' as const),
  );
}

function ifOver(status: () => Observable<JobSnapshot>, error: unknown): Observable<'finished' | 'cancelled'> {
  return defer(status).pipe(
    map((snapshot) => {
      if (!isTerminal(snapshot)) throw error;
      return snapshot.status === 'CANCELLED' ? 'cancelled' : 'finished';
    }),
    catchError((failed: unknown) => (isGone(failed) ? of('finished' as const) : throwError(() => error))),
  );
}

function isGone(error: unknown): boolean {
  return error instanceof JobNotFoundError || error instanceof JobExpiredError;
}
