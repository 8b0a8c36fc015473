import { lowerBound } from './lowerBound.js';

/** How many of the latest execution times are kept. */
const MAX_SAMPLES = 128;

/** How many of them show a change: where the latest jobs are shorter than those before, the next may be as well. */
const RECENT_SAMPLES = 16;

/** How many there must be before anything is estimated from them. */
const MIN_SAMPLES = 8;

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
  /** In the order in which they were learned, each with the time at which it was. */
  readonly #latest: (readonly [time: number, learnedAt: number])[] = [];
  /** The same times, the shortest first; empty while there are too few. */
  #sorted: readonly number[] = [];
  /** The latest of them, the shortest first. */
  #recentSorted: readonly number[] = [];

  /** Whether there are enough samples to estimate from. */
  get known(): boolean {
    return this.#sorted.length > 0;
  }

  /** Learns how long a job executed that was seen to have completed `now`. A time that no job can take is left out. */
  add(time: number, now: number): void {
    if (!(time >= 0 && time < Infinity)) return;
    const latest = this.#latest;
    latest.push([time, now]);
    if (latest.length > MAX_SAMPLES) latest.shift();
    if (latest.length >= MIN_SAMPLES) {
      this.#sorted = shortestFirst(latest);
      this.#recentSorted = shortestFirst(latest.slice(-RECENT_SAMPLES));
    }
    const oldestAt = latest[0]?.[1] ?? now;
    this.rate = latest.length / (now - oldestAt + 1000);
  }

  /** Forgets all samples: they have proved wrong. */
  clear(): void {
    this.#latest.length = 0;
    this.#sorted = [];
    this.#recentSorted = [];
    this.rate = 0;
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

function shortestFirst(samples: readonly (readonly [time: number, learnedAt: number])[]): number[] {
  return samples.map(([time]) => time).sort((a, b) => a - b);
}

/** How long until a job has ended with this chance, by sorted samples; `undefined` where too few are longer. */
function remainingOf(sorted: readonly number[], elapsed: number, chance: number): number | undefined {
  const { length } = sorted;
  const shorter = elapsed >= 0 ? lowerBound(length, (index) => (sorted[index] ?? 0) <= elapsed) : length;
  const longer = length - shorter;
  if (longer < MIN_SAMPLES / 2) return undefined;
  // Interpolate between the two samples around that rank. None is before the first.
  const rank = Math.max(1, shorter + longer * chance);
  const index = Math.floor(rank - 1);
  const before = sorted[index] ?? 0;
  const after = sorted[index + 1] ?? before;
  return before + (after - before) * (rank % 1) - elapsed;
}
