import { EMPTY, catchError, concatMap, defer, map, merge, of, switchMap, throwError, timer } from 'rxjs';
import type { Observable, SchedulerLike } from 'rxjs';
import { untilTerminal } from '../operators/untilTerminal.js';
import {
  callback,
  durationOrNever,
  required,
  scheduler as isScheduler,
  type Checks,
} from '../protocol/checkOptions.js';
import { isTerminal } from '../protocol/snapshot.js';
import type { JobSnapshot } from '../types/JobSnapshot.js';
import type { JobExecutor } from '../types/ports.js';
import { assertRunner } from './checkPipelineOptions.js';
import type { Runner } from './Runner.js';
import { durationScheduler } from '../time/clocks.js';
import { reportUnhandled } from '../errors/reportUnhandled.js';
import { bindCallers, boundRunner, currentSnapshot, runnerOf, tellCommitted, toEnd } from './runnerOf.js';

/** Options of {@link hedge}; all durations in milliseconds. */
export interface HedgeOptions {
  /** How long the first job may take before the second is submitted; `Infinity` submits none. */
  readonly after: number;
  /**
   * Whether to submit the second job, given the first one's snapshot, if there is one; where the runner is an endpoint, the
   * job is read for it. Where it throws, no second job is submitted, the first goes on, and `onError` receives what was thrown.
   * @defaultValue always
   */
  readonly on?: (snapshot: JobSnapshot | undefined) => boolean;
  /**
   * Receives the error of the job that did not decide. Where the error has a `ref`, that job may still run, and cost.
   * What it throws goes to RxJS's `config.onUnhandledError`.
   * @defaultValue none
   */
  readonly onError?: (error: unknown) => void;
  /** @defaultValue `asyncScheduler` */
  readonly scheduler?: SchedulerLike;
}

const HEDGE: Checks<HedgeOptions> = {
  after: required(durationOrNever),
  on: callback,
  onError: callback,
  scheduler: isScheduler,
};

/** The end of a job that did not complete: a terminal snapshot, or an error. */
interface FailedEnd<O> {
  /** Whether it is the first job. */
  readonly first: boolean;
  readonly snapshot?: JobSnapshot<O>;
  readonly error?: unknown;
}

/**
 * Makes a runner that submits a slow job a second time. The job that is COMPLETED first wins, and the other is cancelled.
 *
 * ```ts
 * runAll(hedge(endpoint, { after: 30_000 }), requests);
 * ```
 *
 * - Each second job is paid as well. An error never submits it: a job that fails before `after` has failed.
 * - Emits the snapshots of both jobs, told apart by their ids. The terminal snapshot that decides is the last.
 * - Where one job does not complete, the other decides. Where neither completes, the end of the first job counts.
 *
 * Throws `ConfigurationError` for options that cannot work. Unsubscribing unsubscribes from both jobs, which cancels them.
 */
export function hedge<I extends object, O>(
  runner: JobExecutor<I, O> | Runner<I, O>,
  options: HedgeOptions,
): Runner<I, O> {
  assertRunner('hedge', runner, options, HEDGE);
  const { after, on = () => true, onError, scheduler: given } = options;
  /** An `onError` that throws must not cost the result of the other job, which is paid for. */
  const tell = (error: unknown) => {
    try {
      onError?.(error);
    } catch (thrown) {
      reportUnhandled(thrown);
    }
  };
  /** Nor must an `on` that throws: the first job is healthy. */
  const isWanted = (latest: JobSnapshot<O> | undefined): boolean => {
    try {
      return on(latest);
    } catch (thrown) {
      if (onError) tell(thrown);
      else reportUnhandled(thrown);
      return false;
    }
  };
  const plain = runnerOf(runner);
  const scheduler = durationScheduler(given);
  const hedged: Runner<I, O> = (request, index, attempt) => {
    // The second job is made later.
    const run = boundRunner(plain);
    return defer(() => {
      let latest: JobSnapshot<O> | undefined;
      let runningJobs = 0;
      const failedEnds: FailedEnd<O>[] = [];

      const reportErrors = (deciding?: FailedEnd<O>) => {
        for (const end of failedEnds) if (end !== deciding && !end.snapshot) tell(end.error);
      };

      const endFailed = (end: FailedEnd<O>): Observable<JobSnapshot<O>> => {
        failedEnds.push(end);
        runningJobs--;
        if (runningJobs > 0) return EMPTY;
        const deciding = failedEnds.find(({ first }) => first) ?? end;
        reportErrors(deciding);
        return deciding.snapshot ? of(deciding.snapshot) : throwError(() => deciding.error);
      };

      const takeSnapshot = (snapshot: JobSnapshot<O>, first: boolean): Observable<JobSnapshot<O>> => {
        latest = snapshot;
        if (!isTerminal(snapshot)) return of(snapshot);
        if (snapshot.status !== 'COMPLETED') return endFailed({ first, snapshot });
        reportErrors();
        return of(snapshot);
      };

      const runJob = (first: boolean) =>
        toEnd(() => {
          runningJobs++;
          return run(request, index, attempt);
        }).pipe(
          // As data, because the error of one job does not end the other. Its teardown runs before the error is judged.
          map((snapshot): { readonly snapshot: JobSnapshot<O> } | { readonly error: unknown } => ({ snapshot })),
          catchError((error: unknown) => of({ error })),
          concatMap((event) =>
            'snapshot' in event ? takeSnapshot(event.snapshot, first) : endFailed({ first, error: event.error }),
          ),
        );

      // A timer of `Infinity` would fire at once.
      const due$ = after === Infinity ? EMPTY : timer(after, scheduler);
      const second$ = due$.pipe(
        switchMap(() => (options.on ? currentSnapshot(runner, latest) : of(latest))),
        switchMap((snapshot) => (isWanted(snapshot) ? runJob(false) : EMPTY)),
      );
      return merge(runJob(true), second$).pipe(untilTerminal());
    });
  };
  return Object.assign(hedged, { bindCaller: () => bindCallers([plain]), committed: tellCommitted([plain]) });
}
