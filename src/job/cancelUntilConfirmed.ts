import {
  EMPTY,
  NEVER,
  catchError,
  concatMap,
  defer,
  distinctUntilChanged,
  last,
  map,
  merge,
  of,
  repeat,
  retry,
  startWith,
  switchMap,
  take,
  tap,
  throwError,
  timer,
  type Observable,
  type SchedulerLike,
} from 'rxjs';
import { isTerminal } from '../protocol/snapshot.js';
import { retryAfterMs } from '../errors/retryAfterMs.js';
import type { JobSnapshot } from '../types/JobSnapshot.js';
import type { SettleReport } from '../types/SettleReport.js';
import {
  isJobGone,
  isKeyRefused,
  isMissingPage,
  mayConcernJob,
  outdatedAnswer,
  unconfirmedAnswer,
} from './cancelAnswers.js';

/** How long a cancel is tried, in milliseconds. */
const CANCEL_PATIENCE = 600_000;
/** For how much of the patience a sleep of the machine counts at most, in milliseconds. */
const LONGEST_STEP = 30_000;
/** The longest pause from one attempt to the next, unless the service asks for a longer one, in milliseconds. */
const LONGEST_PAUSE = 30_000;
/** The longest pause that the service may ask for, in milliseconds: one answer must not use up the patience. */
const LONGEST_ASKED_PAUSE = 120_000;
/** How often the key may be refused before the cancel is given up: a key may be replaced while the client runs. */
const MAX_KEY_REFUSALS = 4;
/** How often in a row `/cancel` and `/status` must both be answered 404 by a page before it is believed, and for how long. */
const MISSING_PAGES = 5;
const MISSING_TIME = 120_000;

/** What became of a job that was to be cancelled. */
export interface CancelOutcome {
  /** `running`: the job was to be cancelled only while it was queued, and was not queued any more. */
  readonly outcome: Exclude<keyof SettleReport, 'lost'> | 'running';
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
  /**
   * Emits `waiting` when a request begins to wait within the client's own limits, and `sent` when one is sent. The
   * patience begins with the first request that is sent, and does not count the waiting.
   * @defaultValue never emits: the patience begins at once
   */
  readonly turns$?: Observable<'waiting' | 'sent'>;
}

/**
 * Cancels a job that no view waits for, until it is cancelled or known to be over: a job that runs on costs money. Emits
 * what became of it and completes; never errors. Gives up where the key is refused several times, and after ten minutes.
 *
 * Only the service's own words confirm. After an answer that says something else, such as the page of a gateway or that
 * the job still runs, the job is read, and the cancel is repeated where the job is not over.
 *
 * @param cancel - sends the cancel
 * @param read - reads the job
 */
export function cancelUntilConfirmed(
  cancel: () => Observable<JobSnapshot>,
  read: () => Observable<JobSnapshot>,
  options: CancelUntilConfirmedOptions,
): Observable<CancelOutcome> {
  return defer(() => {
    const { scheduler, turns$ = NEVER, isKnownOver = () => false } = options;
    const cancellation = new Cancellation(cancel, read, { ...options, isKnownOver });
    const confirmed$ = defer(() => cancellation.attempt()).pipe(
      retry({
        delay: (error: unknown, attempt) => {
          const asked = Math.min(LONGEST_ASKED_PAUSE, retryAfterMs(error));
          return timer(Math.max(Math.min(LONGEST_PAUSE, 500 * 2 ** attempt), asked), scheduler);
        },
      }),
    );
    // Also ends a cancel that hangs before it is sent, such as one that waits for its key. A job that is over costs
    // nothing, so it is not reported as abandoned, even where its last answer could never be read.
    const givenUp$ = patience(turns$, scheduler).pipe(
      map((): CancelOutcome => ({ outcome: isKnownOver() ? 'finished' : 'abandoned', error: cancellation.lastError })),
    );
    // The patience listens to the turns before the first attempt takes one.
    return merge(givenUp$, confirmed$).pipe(take(1));
  });
}

/** What the service's answer to a cancel, or to a read after it, says about the job. */
export function outcomeOf(snapshot: JobSnapshot): CancelOutcome {
  return { outcome: isTerminal(snapshot) && snapshot.status !== 'CANCELLED' ? 'finished' : 'cancelled', snapshot };
}

/**
 * Emits when a cancel has been tried for long enough: ten minutes since its first request, without waiting in limits. The
 * time is counted in steps, so that a sleep of the machine uses up one step, and not the patience.
 */
function patience(turns: Observable<'waiting' | 'sent'>, scheduler: SchedulerLike): Observable<unknown> {
  let remaining = CANCEL_PATIENCE;
  let begun = false;
  return turns.pipe(
    startWith(undefined),
    distinctUntilChanged(),
    switchMap((turn) => {
      if (turn === 'waiting') return NEVER;
      if (turn === 'sent' && !begun) {
        begun = true;
        remaining = CANCEL_PATIENCE;
      }
      const step$ = defer(() => {
        const since = scheduler.now();
        const count = () => {
          remaining -= Math.min(scheduler.now() - since, LONGEST_STEP);
        };
        return timer(Math.min(remaining, LONGEST_STEP), scheduler).pipe(tap({ next: count, unsubscribe: count }));
      });
      // Clocks have fractions of a millisecond: a rest of one is no time that a timer could wait for.
      return step$.pipe(repeat({ delay: () => (remaining >= 1 ? of(true) : EMPTY) }), last());
    }),
  );
}

type AttemptOptions = CancelUntilConfirmedOptions & Required<Pick<CancelUntilConfirmedOptions, 'isKnownOver'>>;

/** The attempts to cancel one job, and what their answers add up to. */
class Cancellation {
  /** Why the last attempt confirmed nothing. */
  lastError: unknown;
  readonly #cancel: () => Observable<JobSnapshot>;
  readonly #read: () => Observable<JobSnapshot>;
  readonly #options: AttemptOptions;
  #keyRefusals = 0;
  /** When pages with 404 began to stand in place of all answers. */
  #missingSince: number | undefined;
  #missingPages = 0;

  constructor(cancel: () => Observable<JobSnapshot>, read: () => Observable<JobSnapshot>, options: AttemptOptions) {
    this.#cancel = cancel;
    this.#read = read;
    this.#options = options;
  }

  /** Emits the outcome. An error has the cancel repeated. */
  attempt(): Observable<CancelOutcome> {
    const over = this.#options.isKnownOver();
    const attempt$ = over || this.#options.onlyIfQueued ? this.#readFirst(over) : this.#cancelInTurn();
    return attempt$.pipe(catchError((error: unknown) => this.#giveUpOrRepeat(error)));
  }

  #readFirst(over: boolean): Observable<CancelOutcome> {
    return defer(this.#read).pipe(
      concatMap((snapshot): Observable<CancelOutcome> => {
        if (isTerminal(snapshot)) return of(outcomeOf(snapshot));
        if (over) return throwError(() => outdatedAnswer(snapshot));
        return snapshot.status === 'IN_QUEUE' ? this.#cancelInTurn() : of({ outcome: 'running', snapshot });
      }),
    );
  }

  #cancelInTurn(): Observable<CancelOutcome> {
    const { letOthersGoFirst, isKnownOver, scheduler } = this.#options;
    const cancel$ = resultOf(this.#cancel).pipe(concatMap((result) => this.#judge(result)));
    // The job may end while others go first. Then it is read instead.
    return letOthersGoFirst
      ? timer(0, scheduler).pipe(switchMap(() => (isKnownOver() ? this.#readFirst(true) : cancel$)))
      : cancel$;
  }

  #judge({ snapshot, error }: Result): Observable<CancelOutcome> {
    if (!snapshot) {
      if (mayConcernJob(error)) return this.#readAfter(error);
      // The cancel may not have been sent, since the job turned out to be over while it waited for its turn.
      return this.#options.isKnownOver() ? this.#readFirst(true) : throwError(() => error);
    }
    if (!isTerminal(snapshot)) return this.#readAfter(unconfirmedAnswer(snapshot));
    return lacksResult(snapshot) ? this.#readResult(snapshot) : of(outcomeOf(snapshot));
  }

  /** Reads a job after an answer to its cancel that confirms nothing. Where the job is not over, the cancel is repeated. */
  #readAfter(problem: unknown): Observable<CancelOutcome> {
    return resultOf(this.#read).pipe(
      map(({ snapshot, error }): CancelOutcome => {
        const isMissing = this.#standsMissing(isMissingPage(problem) && isMissingPage(error));
        if (snapshot && isTerminal(snapshot)) return outcomeOf(snapshot);
        if (isJobGone(error) || isMissing) return { outcome: 'finished', error };
        // It is an error of the library, or of what the caller gave it.
        throw problem as Error;
      }),
    );
  }

  /**
   * Whether pages with 404 have stood for long enough to be believed: a gateway may lose its route while it is started anew,
   * and the job runs on.
   *
   * @param missing - whether the last cancel and the last read were both answered so
   */
  #standsMissing(missing: boolean): boolean {
    if (!missing) {
      this.#missingSince = undefined;
      this.#missingPages = 0;
      return false;
    }
    const now = this.#options.scheduler.now();
    this.#missingSince ??= now;
    this.#missingPages++;
    return this.#missingPages >= MISSING_PAGES && now - this.#missingSince >= MISSING_TIME;
  }

  /** Reads what a job ended with that is over by the answer to its cancel. */
  #readResult(answer: JobSnapshot): Observable<CancelOutcome> {
    return resultOf(this.#read).pipe(
      map(({ snapshot, error }): CancelOutcome => {
        if (!snapshot) return { outcome: 'finished', error };
        if (!isTerminal(snapshot)) throw outdatedAnswer(answer);
        return outcomeOf(snapshot);
      }),
    );
  }

  #giveUpOrRepeat(error: unknown): Observable<CancelOutcome> {
    this.lastError = error;
    if (isJobGone(error)) return of({ outcome: 'finished', error });
    if (isKeyRefused(error)) this.#keyRefusals++;
    return this.#keyRefusals >= MAX_KEY_REFUSALS ? of({ outcome: 'abandoned', error }) : throwError(() => error);
  }
}

/** The answer of a request, or its error. */
interface Result {
  readonly snapshot?: JobSnapshot;
  readonly error?: unknown;
}

function resultOf(request: () => Observable<JobSnapshot>): Observable<Result> {
  return defer(request).pipe(
    map((snapshot): Result => ({ snapshot })),
    catchError((error: unknown) => of<Result>({ error })),
  );
}

/** Whether an answer says that the job had ended before the cancel, and does not say with what: the bare status. */
function lacksResult(snapshot: JobSnapshot): boolean {
  const endedBefore = isTerminal(snapshot) && snapshot.status !== 'CANCELLED';
  return endedBefore && !('output' in snapshot.raw || 'error' in snapshot.raw);
}
