import { lowerBound } from './lowerBound.js';

/** How many of the latest are remembered, and how many say something. */
const SAMPLES = 128;
const ENOUGH = 8;

/** How long an endpoint's jobs execute, as those say that completed lately. All times in milliseconds. */
export class ExecutionTimes {
  /** How many jobs ended in a millisecond. */
  rate = 0;
  /** As they came, and when each of them did. */
  readonly #latest: (readonly [time: number, at: number])[] = [];
  /** By length. */
  #sorted: readonly number[] = [];

  /** Whether there are enough of them. */
  get known(): boolean {
    return this.#sorted.length > 0;
  }

  add(time: number, now: number): void {
    const latest = this.#latest;
    latest.push([time, now]);
    if (latest.length > SAMPLES) latest.shift();
    if (latest.length >= ENOUGH) this.#sorted = latest.map(([one]) => one).sort((a, b) => a - b);
    this.rate = latest.length / (now - (latest[0]?.[1] ?? now) + 1000);
  }

  /**
   * How much longer a job executes that has done so for some time, where that can be told: until this part of those that
   * took longer were over.
   */
  left(elapsed: number, part: number): number | undefined {
    const sorted = this.#sorted;
    const { length } = sorted;
    const passed = elapsed >= 0 ? lowerBound(length, (nth) => (sorted[nth] ?? 0) <= elapsed) : length;
    if (length - passed < ENOUGH / 2) return undefined;
    const place = passed + (length - passed) * part;
    // `slice` rounds down.
    const [before = 0, after = before] = sorted.slice(Math.max(0, place - 1));
    return before + (after - before) * (place % 1) - elapsed;
  }
}
