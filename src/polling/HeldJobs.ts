import type { SchedulerLike } from 'rxjs';
import type { ExecutionTimes } from './ExecutionTimes.js';
import type { HeldReads } from './HeldReads.js';

/** How much more likely than a held job another must be to end next, to take its place. */
const LIKELIER = 3;

/** How long a place is kept at least, in milliseconds: to take it costs a request. */
const MIN_HOLD = 1_000;

/** How long the order of the jobs by their chance to end is used, in milliseconds. To find it costs time with many jobs. */
export const ORDER_AGE = 250;

/** The time for which chances are compared: as many jobs end in it as are held, within these bounds, in milliseconds. */
const MIN_HORIZON = 1_000;
const MAX_HORIZON = 30_000;

/** What {@link HeldJobs} knows of a job. */
export interface HoldableJob {
  /** Since when the job runs, if it is known to run. */
  readonly runningSince: number | undefined;
  /** When the last answer about the job came. */
  readonly answeredAt: number;
  /** When the next plain read of the job is due. */
  readonly dueAt: number;
  /** A read of the job is in flight. */
  readonly awaitingRead: boolean;
}

/** What {@link HeldJobs} has done with jobs. */
export interface HoldingHost<T> {
  /** Has a job read at once, by a held read: it has a place. */
  holdNow(job: T): void;
  /** Aborts the held read of a job that has lost its place. */
  giveUpHold(job: T): void;
}

/** What {@link HeldJobs} works with. */
export interface HeldJobsOptions<T> {
  /** Its clock is that of the jobs' times. */
  readonly scheduler: SchedulerLike;
  /** How many reads may be held. */
  readonly reads: Pick<HeldReads, 'works' | 'places' | 'freePlaces' | 'stopWaiting'>;
  /** How long the endpoint's jobs take. */
  readonly executions: Pick<ExecutionTimes, 'known' | 'rate' | 'chanceToEnd'>;
  /** How many plain reads the limits allow in a millisecond. */
  readonly plainRate: () => number;
  /** Is told of what is decided. */
  readonly host: HoldingHost<T>;
}

/**
 * Decides which running jobs have their reads held. There are places for some; where more jobs run, the places go to those
 * that will most probably end next, by how long the endpoint's jobs take. A job without a place is read plainly meanwhile.
 */
export class HeldJobs<T extends HoldableJob> {
  readonly #options: HeldJobsOptions<T>;
  /** The jobs that have a place, with the time since when. */
  readonly #held = new Map<T, number>();
  /** Those of them whose read has not started yet. */
  readonly #reserved = new Set<T>();
  /** The jobs that wait for a place. */
  readonly #waiting = new Set<T>();
  /** The jobs by their chance to end next, as it was a moment ago: the likeliest that wait, and the unlikeliest that are held, are last. */
  #likeliest: T[] = [];
  #unlikeliest: T[] = [];
  /** The jobs that wait and have most probably ended by now: as many as can be read plainly until the order is made anew. */
  #likelyEnded = new Set<T>();
  #orderedAt = -Infinity;
  #filling = false;

  constructor(options: HeldJobsOptions<T>) {
    this.#options = options;
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
    this.#order();
    return this.#likelyEnded.delete(job);
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
    // The order, which nobody needs now, would keep jobs in memory that have left.
    this.#likeliest = [];
    this.#unlikeliest = [];
    this.#likelyEnded.clear();
    this.#orderedAt = -Infinity;
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
    let job = this.#nextWaiting();
    while (job && this.#freePlaces() > 0) {
      this.#reserve(job);
      this.#options.host.holdNow(job);
      job = this.#nextWaiting();
    }
    this.#filling = false;
  };

  /** The job that waits and will most probably end next. One that is being read asks for a place again after its answer. */
  #nextWaiting(): T | undefined {
    if (!this.#waiting.size) return undefined;
    this.#order();
    const isFree = (job: T) => this.#waiting.has(job) && !job.awaitingRead;
    while (this.#likeliest.length && !isFree(this.#likeliest.at(-1) as T)) this.#likeliest.pop();
    // Those that came after the last ordering are taken in the order in which they came.
    return this.#likeliest.at(-1) ?? [...this.#waiting].find(isFree);
  }

  /** The job that is least likely to end next, where all places are taken and the given job is much likelier to. */
  #displaceable(job: T): T | undefined {
    const { reads, executions, scheduler } = this.#options;
    // The first reads are left alone, since they are to show whether the endpoint holds its answers.
    if (!reads.works) return undefined;
    // Places that the rate of requests leaves empty are not won by one more request.
    if (!executions.known || this.#held.size < reads.places) return undefined;
    this.#order();
    let other = this.#unlikeliest.at(-1);
    while (other && !this.#held.has(other)) {
      this.#unlikeliest.pop();
      other = this.#unlikeliest.at(-1);
    }
    if (!other || scheduler.now() - (this.#held.get(other) ?? 0) < MIN_HOLD) return undefined;
    const chance = this.#chanceOf(job);
    // Where neither will end soon, nothing is won.
    return chance > 0 && chance >= LIKELIER * this.#chanceOf(other) ? other : undefined;
  }

  /** Orders the jobs by their chance to end next, unless that was done a moment ago. */
  #order(): void {
    const now = this.#options.scheduler.now();
    if (now < this.#orderedAt + ORDER_AGE) return;
    this.#orderedAt = now;
    const byChance = (jobs: Iterable<T>, horizon?: number) =>
      [...jobs]
        .map((job) => ({ job, chance: this.#chanceOf(job, horizon) }))
        .sort((a, b) => a.chance - b.chance)
        .map(({ job }) => job);
    const waiting = [...this.#waiting].filter(({ awaitingRead }) => !awaitingRead);
    this.#likeliest = byChance(waiting);
    this.#unlikeliest = byChance(this.#held.keys()).reverse();
    const plainReads = Math.ceil(ORDER_AGE * this.#options.plainRate());
    const due = waiting.filter(({ dueAt }) => dueAt <= now + ORDER_AGE);
    this.#likelyEnded = new Set(byChance(due, ORDER_AGE).slice(-plainReads));
  }

  get #horizon(): number {
    const { executions, reads } = this.#options;
    return Math.min(MAX_HORIZON, Math.max(MIN_HORIZON, reads.places / executions.rate));
  }

  /**
   * How probably a job has ended since its last answer, or ends next. The answer to a held read would have come. Without
   * known execution times, that which has run longest is first.
   */
  #chanceOf(job: T, horizon = this.#horizon): number {
    const { executions, scheduler } = this.#options;
    const { runningSince = 0, answeredAt } = job;
    const now = scheduler.now();
    if (!executions.known) return now - runningSince;
    const aliveAt = this.#held.has(job) ? now : Math.max(runningSince, answeredAt);
    return executions.chanceToEnd(aliveAt - runningSince, now - aliveAt + horizon);
  }
}
