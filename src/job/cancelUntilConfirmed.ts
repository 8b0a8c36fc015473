import {
  catchError,
  concatMap,
  defer,
  map,
  of,
  retry,
  throwError,
  timeout,
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
import { retryAfterMs } from '../errors/retryAfterMs.js';
import type { JobSnapshot } from '../types/JobSnapshot.js';
import type { SettleReport } from '../types/SettleReport.js';

/** After how long the cancel of a job that was left is given up, in milliseconds. */
const CANCEL_PATIENCE = 600_000;
const LONGEST_PAUSE = 30_000;

/** What became of a job that was to be cancelled. */
export interface CancelOutcome {
  /** `running`, where it was to be cancelled only while queued, and was not queued any more. */
  readonly outcome: keyof SettleReport | 'running';
  /** The job's last answer, where there was one. */
  readonly snapshot?: JobSnapshot;
  /** Why there was none. */
  readonly error?: unknown;
}

/**
 * Cancels a job that nobody waits for, until it is cancelled or known to be over: it may run, and cost. Emits what
 * became of it and completes; never errors. Given up when the key is refused, and after ten minutes.
 *
 * @param ifQueued - cancel it only if no worker has taken it yet
 * @param isOver - whether it is known to be over by now: then it is only read
 */
export function cancelUntilConfirmed(
  cancel: () => Observable<JobSnapshot>,
  status: () => Observable<JobSnapshot>,
  scheduler: SchedulerLike,
  ifQueued = false,
  isOver = () => false,
): Observable<CancelOutcome> {
  let last: unknown;
  const cancel$ = defer(cancel).pipe(
    concatMap((snapshot) =>
      // One that came too late may be answered with the bare status: what came of the job is still to be read.
      isTerminal(snapshot) && snapshot.status !== 'CANCELLED' && !('output' in snapshot.raw || 'error' in snapshot.raw)
        ? defer(status).pipe(
            map((read) => (isTerminal(read) ? settled(read) : undefined)),
            catchError((error: unknown) => of<CancelOutcome>({ outcome: 'finished', error })),
            map((known) => known ?? late(snapshot)),
          )
        : of(settled(snapshot)),
    ),
    // A 2xx all the same.
    catchError((error: unknown) =>
      error instanceof ResponseError ? of<CancelOutcome>({ outcome: 'cancelled', error }) : throwError(() => error),
    ),
  );
  const settle$ = defer(() => {
    const over = isOver();
    if (!ifQueued && !over) return cancel$;
    return defer(status).pipe(
      concatMap((snapshot): Observable<CancelOutcome> => {
        if (isTerminal(snapshot)) return of(settled(snapshot));
        if (over) return late(snapshot);
        return snapshot.status === 'IN_QUEUE' ? cancel$ : of({ outcome: 'running', snapshot });
      }),
    );
  });
  return settle$.pipe(
    catchError((error: unknown): Observable<CancelOutcome> => {
      last = error;
      if (isGone(error)) return of({ outcome: 'finished', error });
      if (error instanceof AuthenticationError || error instanceof NotFoundError)
        return of({ outcome: 'abandoned', error });
      // What the service says to a job that is over already is not documented: the job itself tells.
      return error instanceof HttpError && !error.retryable ? ifOver(status, error) : throwError(() => error);
    }),
    retry({
      delay: (error: unknown, count) =>
        timer(
          Math.min(CANCEL_PATIENCE, Math.max(Math.min(LONGEST_PAUSE, 500 * 2 ** count), retryAfterMs(error))),
          scheduler,
        ),
    }),
    // Also where a cancel hangs before it is sent, as a key that does not come. A job that is over costs nothing any more,
    // even where it never says what came of it.
    timeout({
      first: CANCEL_PATIENCE,
      scheduler,
      with: () => of<CancelOutcome>({ outcome: isOver() ? 'finished' : 'abandoned', error: last }),
    }),
  );
}

/** What an answer of the service says of a job that was to be cancelled. */
export function settled(snapshot: JobSnapshot): CancelOutcome {
  return { outcome: isTerminal(snapshot) && snapshot.status !== 'CANCELLED' ? 'finished' : 'cancelled', snapshot };
}

/** Terminal is final: an answer that says otherwise is late, and the job is read again. */
function late({ id }: JobSnapshot): never {
  throw new Error(`job ${id} is over, and was answered otherwise`);
}

function ifOver(status: () => Observable<JobSnapshot>, error: unknown): Observable<CancelOutcome> {
  return defer(status).pipe(
    map((snapshot) => {
      if (!isTerminal(snapshot)) throw error;
      return settled(snapshot);
    }),
    catchError((failed: unknown) =>
      isGone(failed) ? of<CancelOutcome>({ outcome: 'finished', error: failed }) : throwError(() => error),
    ),
  );
}

function isGone(error: unknown): boolean {
  return error instanceof JobNotFoundError || error instanceof JobExpiredError;
}
