/**
 * How long reads have failed in a row, counted from the first failure, and whether the caller's patience allows another.
 *
 * One failure alone never uses up the patience. The time between two failures counts for at most half of it, since the
 * machine may have slept meanwhile: after a sleep there is time for reads that show whether the service answers again.
 */
export class Outage {
  readonly #patience: number;
  #failures = 0;
  #failedAt = 0;
  #lasted = 0;

  /** @param patience - how long reads may fail in a row, in milliseconds */
  constructor(patience: number) {
    this.#patience = patience;
  }

  /** How many reads have failed in a row. */
  get failures(): number {
    return this.#failures;
  }

  /** A read has failed. */
  addFailure(now: number): void {
    if (this.#failures) this.#lasted += Math.min(now - this.#failedAt, this.#patience / 2);
    this.#failures++;
    this.#failedAt = now;
  }

  /** Whether the patience lasts until a read after this pause. */
  allowsPause(pause: number): boolean {
    return this.#failures <= 1 || this.#lasted + pause <= this.#patience;
  }

  /** A read was answered. */
  end(): void {
    this.#failures = 0;
    this.#lasted = 0;
  }
}
