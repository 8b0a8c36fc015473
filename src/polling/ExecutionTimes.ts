import { lowerBound } from './lowerBound.js';

/** How many of the latest execution times are kept. */
const MAX_SAMPLES = 128;

/** How many of them show a change: where the latest jobs are shorter than those before, the next may be as well. */
const RECENT_SAMPLES = 16;

/** How many there must be before anything is estimated from them. */
const MIN_SAMPLES = 8;

/** How many of the longest show how a job ends that runs longer than most. */
const TAIL_SAMPLES = 16;

/** The least time until a job is read that may be unlike all samples, in milliseconds, and as a fraction of its age. */
const MIN_LOOK_TIME = 500;
const LOOK_FRACTION = 0.5;

/**
 * Learns how long an endpoint's jobs execute, from the jobs that completed lately, and estimates how much longer a
 * running job will take. All times are in milliseconds.
 */
export class ExecutionTimes {
  /** How many jobs complete in a millisecond. */
  rate = 0;
  /** How many of them are found by plain reads: those that were held, or told by a notice, need none. */
  plainRate = 0;
  /** In the order in which they were learned. */
  readonly #latest: Sample[] = [];
  /** The same times, the shortest first; empty while there are too few. */
  #sorted: readonly number[] = [];
  /** The latest of them, the shortest first. */
  #recentSorted: readonly number[] = [];

  /** Whether there are enough samples to estimate from. */
  get known(): boolean {
    return this.#sorted.length > 0;
  }

  /** How long all jobs but the shortest twentieth take at least; 0 where that is not known. */
  get shortTime(): number {
    return this.#sorted[Math.floor(this.#sorted.length / 20)] ?? 0;
  }

  /**
   * Learns how long a job executed that was seen to have completed. A time that no job can take is left out.
   *
   * @param byPlainRead - whether it was a plain read that found it completed
   */
  add(time: number, now: number, byPlainRead = true): void {
    if (!(time >= 0 && time < Infinity)) return;
    const latest = this.#latest;
    latest.push({ time, learnedAt: now, byPlainRead });
    if (latest.length > MAX_SAMPLES) latest.shift();
    if (latest.length >= MIN_SAMPLES) {
      this.#sorted = shortestFirst(latest);
      this.#recentSorted = shortestFirst(latest.slice(-RECENT_SAMPLES));
    }
    const span = now - (latest[0]?.learnedAt ?? now) + 1000;
    this.rate = latest.length / span;
    this.plainRate = latest.filter((sample) => sample.byPlainRead).length / span;
  }

  /** Forgets all samples: they have proved wrong. */
  clear(): void {
    this.#latest.length = 0;
    this.#sorted = [];
    this.#recentSorted = [];
    this.rate = 0;
    this.plainRate = 0;
  }

  /**
   * Estimates how probably a job ends within the next time, among the known jobs that ran longer than it has so far. Where
   * these are few, by how fast the longest of the known jobs ended: the longer the job outlasts them all, the less probably.
   *
   * @param elapsed - how long the job has run
   * @returns from 0 to 1
   */
  chanceToEnd(elapsed: number, within: number): number {
    const sorted = this.#sorted;
    const shorter = countUpTo(sorted, elapsed);
    const longer = sorted.length - shorter;
    // While the job is younger than all of them, they tell of it, however few they are.
    if (longer >= TAIL_SAMPLES || (longer && !shorter)) return (countUpTo(sorted, elapsed + within) - shorter) / longer;
    const tail = sorted.slice(-TAIL_SAMPLES);
    const [start = 0] = tail;
    const lasted = tail.reduce((sum, time) => sum + time - start, 0) + Math.max(0, elapsed - (tail.at(-1) ?? 0));
    return 1 - Math.exp((-tail.length * within) / Math.max(1, lasted));
  }

  /**
   * Estimates how much longer a job runs: the time until it has ended with a given chance, among the known jobs that ran
   * longer than it has so far, or among the latest of them where that is sooner. The job may also be shorter than all that
   * is known. With few samples that is likelier than `chance`: the job is then read after half of its age at the latest.
   *
   * @param elapsed - how long the job has run
   * @param chance - from 0 to 1
   * @returns `undefined` where too few known jobs ran longer
   */
  remainingTime(elapsed: number, chance: number): number | undefined {
    const remaining = remainingOf(this.#sorted, elapsed, chance);
    if (remaining === undefined) return undefined;
    const recent = remainingOf(this.#recentSorted, elapsed, chance) ?? Infinity;
    const unlikeAll = 1 / (this.#sorted.length + 1);
    const look = unlikeAll > chance ? Math.max(MIN_LOOK_TIME, elapsed * LOOK_FRACTION) : Infinity;
    return Math.min(remaining, recent, look);
  }
}

/** One job that completed. */
interface Sample {
  readonly time: number;
  readonly learnedAt: number;
  readonly byPlainRead: boolean;
}

function shortestFirst(samples: readonly Sample[]): number[] {
  return samples.map(({ time }) => time).sort((a, b) => a - b);
}

/** How many of the sorted times are not longer than a time. */
function countUpTo(sorted: readonly number[], time: number): number {
  return lowerBound(sorted.length, (index) => (sorted[index] ?? 0) <= time);
}

/** How long until a job has ended with this chance, by sorted samples; `undefined` where too few are longer. */
function remainingOf(sorted: readonly number[], elapsed: number, chance: number): number | undefined {
  const { length } = sorted;
  const shorter = elapsed >= 0 ? countUpTo(sorted, elapsed) : length;
  const longer = length - shorter;
  if (longer < MIN_SAMPLES / 2) return undefined;
  // Interpolate between the two samples around that rank. None is before the first.
  const rank = Math.max(1, shorter + longer * chance);
  const index = Math.floor(rank - 1);
  const before = sorted[index] ?? 0;
  const after = sorted[index + 1] ?? before;
  return before + (after - before) * (rank % 1) - elapsed;
}
