import { lowerBound } from './lowerBound.js';

/** How many of the latest execution times are kept. */
const MAX_SAMPLES = 128;

/** How many there must be before anything is estimated from them. */
const MIN_SAMPLES = 8;

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

  /** Whether there are enough samples to estimate from. */
  get known(): boolean {
    return this.#sorted.length > 0;
  }

  add(time: number, now: number): void {
    const latest = this.#latest;
    latest.push([time, now]);
    if (latest.length > MAX_SAMPLES) latest.shift();
    if (latest.length >= MIN_SAMPLES) this.#sorted = latest.map(([sample]) => sample).sort((a, b) => a - b);
    const oldestAt = latest[0]?.[1] ?? now;
    this.rate = latest.length / (now - oldestAt + 1000);
  }

  /**
   * Estimates how much longer a job runs: the time until it has ended with a given chance, among the known jobs that ran
   * longer than it has so far.
   *
   * @param elapsed - how long the job has run
   * @param chance - from 0 to 1
   * @returns `undefined` where too few known jobs ran longer
   */
  remainingTime(elapsed: number, chance: number): number | undefined {
    const sorted = this.#sorted;
    const { length } = sorted;
    const shorter = elapsed >= 0 ? lowerBound(length, (index) => (sorted[index] ?? 0) <= elapsed) : length;
    const longer = length - shorter;
    if (longer < MIN_SAMPLES / 2) return undefined;
    // Interpolate between the two samples around that rank.
    const rank = shorter + longer * chance;
    const index = Math.max(0, Math.floor(rank - 1));
    const before = sorted[index] ?? 0;
    const after = sorted[index + 1] ?? before;
    return before + (after - before) * (rank % 1) - elapsed;
  }
}
