import {
  catchError,
  concatMap,
  defer,
  map,
  of,
  retry,
  switchMap,
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

/** How long a cancel is tried, in milliseconds. */
const CANCEL_PATIENCE = 600_000;
/** The longest pause from one attempt to the next, unless the service asks for a longer one, in milliseconds. */
const LONGEST_PAUSE = 30_000;

/** What became of a job that was to be cancelled. */
export interface CancelOutcome {
  /** `running`: the job was to be cancelled only while it was queued, and was not queued any more. */
  readonly outcome: keyof SettleReport | 'running';
  /** The job's last answer, where there was one. */
  readonly snapshot?: JobSnapshot;
  /** Why there was none. */
  readonly error?: unknown;
}

/** Options of {@link cancelUntilConfirmed}. */
export interface CancelUntilConfirmedOptions {
  /** Times the pauses from one attempt to the next, and the patience. */
  readonly scheduler: SchedulerLike;
  /**
   * Whether the job is cancelled only if no worker has taken it yet.
   * @defaultValue false
   */
  readonly onlyIfQueued?: boolean;
  /**
   * Whether the cancel is sent one macrotask later, so that the cancels of other jobs are sent before this one.
   * @defaultValue false
   */
  readonly letOthersGoFirst?: boolean;
  /**
   * Whether the job is known to be over by now; asked before each attempt. Such a job is read, and not cancelled.
   * @defaultValue it is not
   */
  readonly isKnownOver?: () => boolean;
}

/**
 * Cancels a job that no view waits for, until it is cancelled or known to be over: a job that runs on costs money. Emits
 * what became of it and completes; never errors. Gives up where the key is refused, and after ten minutes.
 *
 * @param cancel - sends the cancel
 * @param read - reads the job
 */
export function cancelUntilConfirmed(
  cancel: () => Observable<JobSnapshot>,
  read: () => Observable<JobSnapshot>,
  { scheduler, onlyIfQueued = false, letOthersGoFirst = false, isKnownOver = () => false }: CancelUntilConfirmedOptions,
): Observable<CancelOutcome> {
  let lastError: unknown;
  const cancel$ = defer(cancel).pipe(
    concatMap((snapshot) => (lacksResult(snapshot) ? readResult(read, snapshot) : of(outcomeOf(snapshot)))),
    // The answer could not be read, but it was a 2xx.
    catchError((error: unknown) =>
      error instanceof ResponseError ? of<CancelOutcome>({ outcome: 'cancelled', error }) : throwError(() => error),
    ),
  );
  // The job may end while others go first. Then it is read instead.
  const inTurn$ = letOthersGoFirst
    ? timer(0, scheduler).pipe(switchMap(() => (isKnownOver() ? attempt$ : cancel$)))
    : cancel$;
  const attempt$: Observable<CancelOutcome> = defer(() => {
    const over = isKnownOver();
    if (!onlyIfQueued && !over) return inTurn$;
    return defer(read).pipe(
      concatMap((snapshot): Observable<CancelOutcome> => {
        if (isTerminal(snapshot)) return of(outcomeOf(snapshot));
        if (over) throw outdatedAnswer(snapshot);
        return snapshot.status === 'IN_QUEUE' ? inTurn$ : of({ outcome: 'running', snapshot });
      }),
    );
  });
  return attempt$.pipe(
    catchError((error: unknown): Observable<CancelOutcome> => {
      lastError = error;
      if (isJobGone(error)) return of({ outcome: 'finished', error });
      if (error instanceof AuthenticationError || error instanceof NotFoundError)
        return of({ outcome: 'abandoned', error });
      // It is not documented what the service answers to the cancel of a job that is over. Reading the job tells.
      return error instanceof HttpError && !error.retryable ? readAfterRefusal(read, error) : throwError(() => error);
    }),
    retry({
      delay: (error: unknown, attempt) => {
        const pause = Math.max(Math.min(LONGEST_PAUSE, 500 * 2 ** attempt), retryAfterMs(error));
        return timer(Math.min(CANCEL_PATIENCE, pause), scheduler);
      },
    }),
    // Also ends a cancel that hangs before it is sent, such as one that waits for its key. A job that is over costs
    // nothing, so it is not reported as abandoned, even where its last answer could never be read.
    timeout({
      first: CANCEL_PATIENCE,
      scheduler,
      with: () => of<CancelOutcome>({ outcome: isKnownOver() ? 'finished' : 'abandoned', error: lastError }),
    }),
  );
}

/** What the service's answer to a cancel, or to a read after it, says about the job. */
export function outcomeOf(snapshot: JobSnapshot): CancelOutcome {
  return { outcome: isTerminal(snapshot) && snapshot.status !== 'CANCELLED' ? 'finished' : 'cancelled', snapshot };
}

/** Whether an answer says that the job had ended before the cancel, and does not say with what: the bare status. */
function lacksResult(snapshot: JobSnapshot): boolean {
  const endedBefore = isTerminal(snapshot) && snapshot.status !== 'CANCELLED';
  return endedBefore && !('output' in snapshot.raw || 'error' in snapshot.raw);
}

/** Reads what a job ended with that is over by the answer to its cancel. */
function readResult(read: () => Observable<JobSnapshot>, answer: JobSnapshot): Observable<CancelOutcome> {
  return defer(read).pipe(
    map((snapshot) => (isTerminal(snapshot) ? outcomeOf(snapshot) : undefined)),
    catchError((error: unknown) => of<CancelOutcome>({ outcome: 'finished', error })),
    map((outcome) => {
      if (!outcome) throw outdatedAnswer(answer);
      return outcome;
    }),
  );
}

/** Terminal is final, so an answer that says otherwise is outdated. As an error it has the job read again. */
function outdatedAnswer({ id }: JobSnapshot): Error {
  return new Error(`job ${id} is over, and was answered otherwise`);
}

/** Reads a job whose cancel was refused: where the job is not over, the cancel failed with that refusal. */
function readAfterRefusal(read: () => Observable<JobSnapshot>, refusal: HttpError): Observable<CancelOutcome> {
  return defer(read).pipe(
    map((snapshot) => {
      if (!isTerminal(snapshot)) throw refusal;
      return outcomeOf(snapshot);
    }),
    catchError((error: unknown) =>
      isJobGone(error) ? of<CancelOutcome>({ outcome: 'finished', error }) : throwError(() => refusal),
    ),
  );
}

function isJobGone(error: unknown): boolean {
  return error instanceof JobNotFoundError || error instanceof JobExpiredError;
}
