/** How many seconds back an event counts. */
const WINDOW = 60;

/** Measures how often an event happens: one counter for each second of the last minute. All times in milliseconds. */
export class RateMeter {
  readonly #startedAt: number;
  /** Counters by second, in a ring. */
  readonly #counters = new Array<number>(WINDOW).fill(0);
  /** The latest second seen, from the start. */
  #currentSecond = 0;
  #countInWindow = 0;
  #countOverall = 0;

  constructor(now: number) {
    this.#startedAt = now;
  }

  count(now: number): void {
    this.#moveWindow(now);
    const slot = this.#currentSecond % WINDOW;
    this.#counters[slot] = (this.#counters[slot] ?? 0) + 1;
    this.#countInWindow++;
    this.#countOverall++;
  }

  /** Events in a second: the average over the window, or since the start where that is less. */
  rate(now: number): number {
    this.#moveWindow(now);
    const elapsed = now - this.#startedAt;
    // The window holds whole seconds, and the part of the current second that has passed.
    const covered = Math.min(elapsed, (WINDOW - 1) * 1000 + (elapsed % 1000));
    return covered > 0 ? (this.#countInWindow * 1000) / covered : 0;
  }

  /** Milliseconds until `count` more events have happened; `undefined` where no rate is known. */
  remaining(now: number, count: number): number | undefined {
    if (count === 0) return 0;
    // After a minute without events, the average since the start still tells something.
    const rate = this.rate(now) || (this.#countOverall * 1000) / (now - this.#startedAt);
    if (!(rate > 0 && rate < Infinity)) return undefined;
    return Math.round((count / rate) * 1000);
  }

  /** Clears the counters of the seconds that have left the window. A clock that is set back clears nothing. */
  #moveWindow(now: number): void {
    const second = Math.floor((now - this.#startedAt) / 1000);
    const firstNew = Math.max(this.#currentSecond, second - WINDOW) + 1;
    for (let cleared = firstNew; cleared <= second; cleared++) {
      const slot = cleared % WINDOW;
      this.#countInWindow -= this.#counters[slot] ?? 0;
      this.#counters[slot] = 0;
    }
    this.#currentSecond = Math.max(this.#currentSecond, second);
  }
}
