import type { SchedulerLike } from 'rxjs';
import type { ExecutionTimes } from './ExecutionTimes.js';
import type { HeldReads } from './HeldReads.js';

/** How long the order is used, in milliseconds. To find it costs time with many jobs. */
export const ORDER_AGE = 250;

/** The time for which chances are compared: as many jobs end in it as are held, within these bounds, in milliseconds. */
const MIN_HORIZON = 1_000;
const MAX_HORIZON = 30_000;

/** What {@link EndOrder} knows of a job. */
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

/** What {@link EndOrder} works with. */
export interface EndOrderOptions<T> {
  /** Its clock is that of the jobs' times. */
  readonly scheduler: SchedulerLike;
  /** How many reads may be held. */
  readonly reads: Pick<HeldReads, 'places'>;
  /** How long the endpoint's jobs take. */
  readonly executions: Pick<ExecutionTimes, 'known' | 'rate' | 'chanceToEnd'>;
  /** How many plain reads the limits allow in a millisecond. */
  readonly plainRate: () => number;
  /** The jobs that are held now, by any value. The order looks into it, rather than be told of each change. */
  readonly held: ReadonlyMap<T, unknown>;
  /** The jobs that wait now to be held. The order looks into it as well. */
  readonly waiting: ReadonlySet<T>;
}

/**
 * Says which of the jobs that wait to be held, and of those that are held, will most probably end next, by how long the
 * endpoint's jobs take. The order is made when it is asked for, and used for a while: jobs that have been held or have
 * left meanwhile are passed over.
 */
export class EndOrder<T extends HoldableJob> {
  readonly #options: EndOrderOptions<T>;
  /** Those that wait, the likeliest to end next last, where it is cheap to take away. */
  #likeliest: T[] = [];
  /** Those that are held, the unlikeliest to end next last. */
  #unlikeliest: T[] = [];
  /** Those that wait and have most probably ended by now: as many as can be read plainly until the order is made anew. */
  #likelyEnded = new Set<T>();
  #orderedAt = -Infinity;

  constructor(options: EndOrderOptions<T>) {
    this.#options = options;
  }

  /** The job that waits and will most probably end next. One that is being read asks to be held again after its answer. */
  likeliestWaiting(): T | undefined {
    const { waiting } = this.#options;
    if (!waiting.size) return undefined;
    this.#renew();
    const isFree = (job: T) => waiting.has(job) && !job.awaitingRead;
    while (this.#likeliest.length && !isFree(this.#likeliest.at(-1) as T)) this.#likeliest.pop();
    if (this.#likeliest.length) return this.#likeliest.at(-1);
    // Those that came after the order was made are taken in the order in which they came.
    for (const job of waiting) if (isFree(job)) return job;
    return undefined;
  }

  /** The job that is held and will least probably end next; none of those that have been held since the order was made. */
  unlikeliestHeld(): T | undefined {
    this.#renew();
    let job = this.#unlikeliest.at(-1);
    while (job && !this.#options.held.has(job)) {
      this.#unlikeliest.pop();
      job = this.#unlikeliest.at(-1);
    }
    return job;
  }

  /** Whether a job that waits is one of those to be read plainly, since they have most probably ended. It is no more, then. */
  takeLikelyEnded(job: T): boolean {
    this.#renew();
    return this.#likelyEnded.delete(job);
  }

  /**
   * How probably a job has ended since its last answer, or ends next. The answer to a held read would have come. Without
   * known execution times, that which has run longest is first.
   */
  chanceOf(job: T, horizon = this.#horizon): number {
    const { executions, scheduler, held } = this.#options;
    const { runningSince = 0, answeredAt } = job;
    const now = scheduler.now();
    if (!executions.known) return now - runningSince;
    const aliveAt = held.has(job) ? now : Math.max(runningSince, answeredAt);
    return executions.chanceToEnd(aliveAt - runningSince, now - aliveAt + horizon);
  }

  /** Forgets the order, which would keep jobs in memory that have left. */
  clear(): void {
    this.#likeliest = [];
    this.#unlikeliest = [];
    this.#likelyEnded.clear();
    this.#orderedAt = -Infinity;
  }

  /** Makes the order, unless that was done a moment ago. */
  #renew(): void {
    const { scheduler, held, waiting, plainRate } = this.#options;
    const now = scheduler.now();
    if (now < this.#orderedAt + ORDER_AGE) return;
    this.#orderedAt = now;
    const idle = [...waiting].filter(({ awaitingRead }) => !awaitingRead);
    this.#likeliest = this.#byChance(idle);
    this.#unlikeliest = this.#byChance(held.keys()).reverse();
    const plainReads = Math.ceil(ORDER_AGE * plainRate());
    const due = idle.filter(({ dueAt }) => dueAt <= now + ORDER_AGE);
    this.#likelyEnded = new Set(this.#byChance(due, ORDER_AGE).slice(-plainReads));
  }

  /** Jobs in the order of their chances, the least first. Each chance is found once. */
  #byChance(jobs: Iterable<T>, horizon?: number): T[] {
    return [...jobs]
      .map((job) => ({ job, chance: this.chanceOf(job, horizon) }))
      .sort((a, b) => a.chance - b.chance)
      .map(({ job }) => job);
  }

  get #horizon(): number {
    const { executions, reads } = this.#options;
    return Math.min(MAX_HORIZON, Math.max(MIN_HORIZON, reads.places / executions.rate));
  }
}
