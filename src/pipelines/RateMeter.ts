/** How long what happened counts, in seconds. */
const WINDOW = 60;

/** Counts what happens, and says how often it did lately. */
export class RateMeter {
  readonly #began: number;
  readonly #seconds = new Array<number>(WINDOW).fill(0);
  #second = 0;
  /** Within the window, and of all time. */
  #sum = 0;
  #all = 0;

  /** @param now - milliseconds */
  constructor(now: number) {
    this.#began = now;
  }

  count(now: number): void {
    this.#forget(now);
    const at = this.#second % WINDOW;
    this.#seconds[at] = (this.#seconds[at] ?? 0) + 1;
    this.#sum++;
    this.#all++;
  }

  /** How often in a second: within the window, or since the beginning where that is less. */
  rate(now: number): number {
    this.#forget(now);
    const elapsed = now - this.#began;
    const covered = Math.min(elapsed, (WINDOW - 1) * 1000 + (elapsed % 1000));
    return covered > 0 ? (this.#sum * 1000) / covered : 0;
  }

  /** How long so many more will take, in milliseconds, if it can be told. */
  remaining(now: number, left: number): number | undefined {
    const rate = this.rate(now) || (this.#all * 1000) / (now - this.#began);
    return left === 0 ? 0 : rate > 0 && rate < Infinity ? Math.round((left / rate) * 1000) : undefined;
  }

  #forget(now: number): void {
    const second = Math.floor((now - this.#began) / 1000);
    // A clock that is set back forgets nothing.
    for (let steps = Math.min(WINDOW, second - this.#second); steps > 0; steps--) {
      const at = (second - steps + 1) % WINDOW;
      this.#sum -= this.#seconds[at] ?? 0;
      this.#seconds[at] = 0;
    }
    this.#second = Math.max(this.#second, second);
  }
}
