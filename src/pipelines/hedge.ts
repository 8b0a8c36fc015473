import {
  EMPTY,
  asyncScheduler,
  catchError,
  concatMap,
  defer,
  map,
  merge,
  of,
  switchMap,
  throwError,
  timer,
} from 'rxjs';
import type { Observable, SchedulerLike } from 'rxjs';
import { isTerminal } from '../protocol/snapshot.js';
import type { JobSnapshot } from '../types/JobSnapshot.js';
import type { Runner } from '../types/pipelines.js';
import type { JobExecutor } from '../types/ports.js';
import { runnerOf, toEnd, untilOver } from './runnerOf.js';

/** Options of {@link hedge}; all durations in milliseconds. */
export interface HedgeOptions {
  /** How long a job may take before its second is submitted. */
  readonly after: number;
  /**
   * Whether to submit it, given the last snapshot that was seen, if any.
   * @defaultValue always
   */
  readonly on?: (snapshot: JobSnapshot | undefined) => boolean;
  /**
   * Hears of an error of the one that did not decide. Where it has a `ref`, that job may still run, and cost.
   * @defaultValue none
   */
  readonly onError?: (error: unknown) => void;
  /** @defaultValue `asyncScheduler` */
  readonly scheduler?: SchedulerLike;
}

/** How a job ended otherwise than COMPLETED. */
interface Loss<O> {
  readonly first: boolean;
  readonly snapshot?: JobSnapshot<O>;
  readonly error?: unknown;
}

/**
 * Makes a runner that submits a job a second time when the first is not over after a while. The first that COMPLETED
 * wins, and the other is cancelled.
 *
 * ```ts
 * runAll(hedge(endpoint, { after: 30_000 }), requests);
 * ```
 *
 * - It costs a second job each time that it acts. It never acts on an error: what failed before `after` has failed.
 * - Emits the snapshots of both, told apart by their ids; the terminal one that counts is the last.
 * - Where one ends otherwise than COMPLETED, the other decides; where both do, the first job's end is what counts.
 *
 * Unsubscribing leaves both, which cancels them.
 */
export function hedge<I extends object, O>(
  runner: JobExecutor<I, O> | Runner<I, O>,
  { after, on = () => true, onError, scheduler = asyncScheduler }: HedgeOptions,
): Runner<I, O> {
  const run = runnerOf(runner);
  return (request, index) =>
    defer(() => {
      let latest: JobSnapshot<O> | undefined;
      let running = 0;
      const losses: Loss<O>[] = [];

      /** Tells of the errors of those that do not count. */
      const tell = (counts?: Loss<O>) => {
        for (const loss of losses) if (loss !== counts && !loss.snapshot) onError?.(loss.error);
      };

      /** The last one to end says what the first ended with. */
      const lost = (loss: Loss<O>): Observable<JobSnapshot<O>> => {
        losses.push(loss);
        if (--running > 0) return EMPTY;
        const [counts = loss] = losses.filter(({ first }) => first);
        tell(counts);
        return counts.snapshot ? of(counts.snapshot) : throwError(() => counts.error);
      };

      const attempt = (first: boolean) =>
        toEnd(() => {
          running++;
          return run(request, index);
        }).pipe(
          map((snapshot) => (): Observable<JobSnapshot<O>> => {
            latest = snapshot;
            if (isTerminal(snapshot) && snapshot.status !== 'COMPLETED') return lost({ first, snapshot });
            if (isTerminal(snapshot)) tell();
            return of(snapshot);
          }),
          catchError((error: unknown) => of(() => lost({ first, error }))),
          concatMap((judge) => judge()),
        );

      const second$ = timer(after, scheduler).pipe(switchMap(() => (on(latest) ? attempt(false) : EMPTY)));
      return merge(attempt(true), second$).pipe(untilOver());
    });
}
