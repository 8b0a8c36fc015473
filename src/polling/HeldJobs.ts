import { EndOrder, type EndOrderOptions, type HoldableJob } from './EndOrder.js';
import type { HeldReads } from './HeldReads.js';

export { ORDER_AGE, type HoldableJob } from './EndOrder.js';

/** How much more likely than a held job another must be to end next, to take its place. */
const LIKELIER = 3;

/** How long a place is kept at least, in milliseconds: to take it costs a request. */
const MIN_HOLD = 1_000;

/** What {@link HeldJobs} has done with jobs. */
export interface HoldingHost<T> {
  /** Has a job read at once, by a held read: it has a place. */
  holdNow(job: T): void;
  /** Aborts the held read of a job that has lost its place. */
  giveUpHold(job: T): void;
}

/** What {@link HeldJobs} works with. */
export interface HeldJobsOptions<T> extends Pick<EndOrderOptions<unknown>, 'scheduler' | 'executions' | 'plainRate'> {
  /** How many reads may be held. */
  readonly reads: Pick<HeldReads, 'works' | 'places' | 'freePlaces' | 'stopWaiting'>;
  /** Is told of what is decided. */
  readonly host: HoldingHost<T>;
}

/**
 * Decides which running jobs have their reads held. There are places for some; where more jobs run, the places go to those
 * that will most probably end next, as {@link EndOrder} says. A job without a place is read plainly meanwhile.
 */
export class HeldJobs<T extends HoldableJob> {
  readonly #options: HeldJobsOptions<T>;
  /** The jobs that have a place, with the time since when. */
  readonly #held = new Map<T, number>();
  /** Those of them whose read has not started yet. */
  readonly #reserved = new Set<T>();
  /** The jobs that wait for a place. */
  readonly #waiting = new Set<T>();
  readonly #order: EndOrder<T>;
  #filling = false;

  constructor(options: HeldJobsOptions<T>) {
    this.#options = options;
    this.#order = new EndOrder({ ...options, held: this.#held, waiting: this.#waiting });
  }

  /** Whether the ends of the likeliest jobs are told by held reads, so that plain ones are for the others. */
  get areInUse(): boolean {
    return this.#options.reads.works && this.#held.size > 0;
  }

  /** How many jobs have a place. */
  get size(): number {
    return this.#held.size;
  }

  /** The jobs that have a place and whose read has not started yet. */
  get reserved(): readonly T[] {
    return [...this.#reserved];
  }

  /** Whether a job has a place, and its read has not started yet. */
  isReserved(job: T): boolean {
    return this.#reserved.has(job);
  }

  has(job: T): boolean {
    return this.#held.has(job);
  }

  /** Gives a job a place, if there is one, or if it is much likelier to end than another that has one. Otherwise it waits for one. */
  take(job: T): boolean {
    if (this.#held.has(job)) return true;
    this.#waiting.delete(job);
    if (this.#freePlaces() > 0) {
      this.#reserve(job);
      return true;
    }
    const other = this.#displaceable(job);
    if (other) {
      this.#held.delete(other);
      this.#reserved.delete(other);
      this.#reserve(job);
      this.#options.host.giveUpHold(other);
      return true;
    }
    if (this.#options.reads.places > 0) this.#waiting.add(job);
    return false;
  }

  /** Whether a plain read is better spent on this job than on another that waits for a place. */
  isWorthRead(job: T): boolean {
    const { executions, reads } = this.#options;
    if (!reads.works || !executions.known || !this.#waiting.has(job)) return true;
    return this.#order.takeLikelyEnded(job);
  }

  /** The held read of a job starts. */
  start(job: T): void {
    this.#reserved.delete(job);
  }

  /** A job needs no place any more: its read is over, or it is not to be held. */
  leave(job: T): void {
    this.#waiting.delete(job);
    this.#reserved.delete(job);
    if (this.#held.delete(job)) this.#fill();
    if (this.#waiting.size) return;
    this.#options.reads.stopWaiting(this.#fill);
    // Nobody needs the order now.
    this.#order.clear();
  }

  /** How many places are free. */
  #freePlaces(): number {
    const { reads } = this.#options;
    const free = reads.places - this.#held.size;
    return free > 0 ? Math.min(free, reads.freePlaces(this.#fill) - this.#reserved.size) : 0;
  }

  #reserve(job: T): void {
    this.#waiting.delete(job);
    this.#reserved.add(job);
    this.#held.set(job, this.#options.scheduler.now());
  }

  /** Gives the free places to those that wait, the likeliest to end first. */
  readonly #fill = (): void => {
    if (this.#filling) return;
    this.#filling = true;
    let job = this.#order.likeliestWaiting();
    while (job && this.#freePlaces() > 0) {
      this.#reserve(job);
      this.#options.host.holdNow(job);
      job = this.#order.likeliestWaiting();
    }
    this.#filling = false;
  };

  /** The job that is least likely to end next, where all places are taken and the given job is much likelier to. */
  #displaceable(job: T): T | undefined {
    const { reads, executions, scheduler } = this.#options;
    // The first reads are left alone, since they are to show whether the endpoint holds its answers.
    if (!reads.works) return undefined;
    // Places that the rate of requests leaves empty are not won by one more request.
    if (!executions.known || this.#held.size < reads.places) return undefined;
    const other = this.#order.unlikeliestHeld();
    if (!other || scheduler.now() - (this.#held.get(other) ?? 0) < MIN_HOLD) return undefined;
    const chance = this.#order.chanceOf(job);
    // Where neither will end soon, nothing is won.
    return chance > 0 && chance >= LIKELIER * this.#order.chanceOf(other) ? other : undefined;
  }
}
