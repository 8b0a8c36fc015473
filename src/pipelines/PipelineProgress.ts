import type { Observer, SchedulerLike } from 'rxjs';
import type { JobSnapshot } from '../types/JobSnapshot.js';
import type { FailedItem, PipelineItem } from './PipelineItem.js';
import { RateMeter } from './RateMeter.js';

/** How far a pipeline is. */
export interface PipelineTotals {
  /** Inputs that the pipeline has taken. */
  readonly taken: number;
  /** Taken inputs that the runner has not been given yet. */
  readonly waiting: number;
  /** Inputs whose job runs, or that wait for their next attempt. */
  readonly inFlight: number;
  /** Inputs whose job completed. */
  readonly done: number;
  /** Inputs that failed. */
  readonly failed: number;
  /** Inputs that the runner had nothing to do for; absent where there are none. */
  readonly skipped?: number;
  /** Inputs that need nothing more: `done`, `failed` and `skipped` together. Beside `total`, what a progress bar shows. */
  readonly ended: number;
  /**
   * How long the jobs ran, in milliseconds: the `executionTime` of all snapshots that the pipeline ended with, those of
   * attempts that failed included. `estimateCost` makes a price of it. Jobs that were left before their end, such as by
   * `hedge`, are not in it.
   */
  readonly executionTime: number;
  /** How many submissions were repeated. */
  readonly retried: number;
  /** Items that ended in a second: the average over the last minute, or since the start where that is less. */
  readonly rate: number;
  /** How many inputs there are, where they have a `length` or a `size`. */
  readonly total?: number;
  /** Milliseconds to go at that rate. Absent without `total`, and before the first item has ended. */
  readonly remaining?: number;
}

/** The totals that the pipeline itself knows. */
type PipelineCounts = Pick<PipelineTotals, 'taken' | 'waiting' | 'inFlight' | 'total'>;

/** Counts the items of a pipeline and reports the totals: the option `totals`. */
export class PipelineProgress {
  #done = 0;
  #failed = 0;
  #skipped = 0;
  #retried = 0;
  #executionTime = 0;
  readonly #totals: Pick<Observer<PipelineTotals>, 'next'>;
  readonly #scheduler: SchedulerLike;
  readonly #rateMeter: RateMeter;

  constructor(totals: Pick<Observer<PipelineTotals>, 'next'>, scheduler: SchedulerLike) {
    this.#totals = totals;
    this.#scheduler = scheduler;
    this.#rateMeter = new RateMeter(scheduler.now());
  }

  countEnded({ ok, snapshot }: Pick<PipelineItem<object>, 'ok' | 'snapshot'>): void {
    if (ok) this.#done++;
    else this.#failed++;
    this.#countExecution(snapshot);
    this.#rateMeter.count(this.#scheduler.now());
  }

  countSkipped(): void {
    this.#skipped++;
  }

  /** Counts an attempt that failed and is repeated. */
  countRetry({ snapshot }: Pick<FailedItem<object>, 'snapshot'>): void {
    this.#retried++;
    this.#countExecution(snapshot);
  }

  #countExecution(snapshot: JobSnapshot | undefined): void {
    this.#executionTime += snapshot?.executionTime ?? 0;
  }

  report({ taken, waiting, inFlight, total }: PipelineCounts): void {
    const now = this.#scheduler.now();
    const done = this.#done;
    const failed = this.#failed;
    const skipped = this.#skipped;
    const ended = done + failed + skipped;
    const remaining = total === undefined ? undefined : this.#rateMeter.remaining(now, total - ended);
    this.#totals.next({
      taken,
      waiting,
      inFlight,
      done,
      failed,
      ...(skipped > 0 && { skipped }),
      ended,
      executionTime: this.#executionTime,
      retried: this.#retried,
      rate: this.#rateMeter.rate(now),
      ...(total !== undefined && { total }),
      ...(remaining !== undefined && { remaining }),
    });
  }
}
