import type { Observer, SchedulerLike } from 'rxjs';
import type { PipelineTotals } from '../types/pipelines.js';
import { RateMeter } from './RateMeter.js';

/** What a pipeline has in hand. */
type InHand = Pick<PipelineTotals, 'waiting' | 'inFlight' | 'total'>;

/** Keeps count of a pipeline's items, for who wants to be told. */
export class PipelineProgress {
  taken = 0;
  retried = 0;
  #done = 0;
  #failed = 0;
  readonly #totals: Pick<Observer<PipelineTotals>, 'next'>;
  readonly #scheduler: SchedulerLike;
  readonly #meter: RateMeter;

  constructor(totals: Pick<Observer<PipelineTotals>, 'next'>, scheduler: SchedulerLike) {
    this.#totals = totals;
    this.#scheduler = scheduler;
    this.#meter = new RateMeter(scheduler.now());
  }

  /** An item ended. */
  ended(ok: boolean): void {
    if (ok) this.#done++;
    else this.#failed++;
    this.#meter.count(this.#scheduler.now());
  }

  report({ waiting, inFlight, total }: InHand): void {
    const { taken, retried } = this;
    const [done, failed, meter] = [this.#done, this.#failed, this.#meter];
    const now = this.#scheduler.now();
    const remaining = total === undefined ? undefined : meter.remaining(now, total - done - failed);
    this.#totals.next({
      taken,
      waiting,
      inFlight,
      done,
      failed,
      retried,
      rate: meter.rate(now),
      ...(total !== undefined && { total }),
      ...(remaining !== undefined && { remaining }),
    });
  }
}
