/** How many jobs in a row must be noticed before notices are relied on. */
const ENOUGH = 8;

/** How long after a job's end its notice may come, in milliseconds. */
const MAX_DELAY = 10_000;

/**
 * Whether notices that their source vouches for tell of every end, as webhooks do where each job has one. Then reads are
 * only a safety net. Each end without a notice is one too many: the jobs are read as often as without notices until some
 * were noticed in a row again.
 */
export class NoticedEnds {
  #inRow = 0;
  /** The ends that were seen otherwise and have had no notice yet, with the time at which they were. */
  readonly #unnoticed = new Map<string, number>();

  get areAll(): boolean {
    return this.#inRow >= ENOUGH;
  }

  /**
   * A notice told of a job's end.
   *
   * @param isNews - whether nothing had told of it before. The same notice may come again and again
   */
  noticed(id: string, isNews: boolean): void {
    if (this.#unnoticed.delete(id) || isNews) this.#inRow++;
  }

  /** A read told of a job's end. */
  read(id: string, now: number): void {
    this.#unnoticed.set(id, now);
    for (const [other, at] of this.#unnoticed) {
      if (now - at < MAX_DELAY) break;
      this.#unnoticed.delete(other);
      this.#inRow = 0;
    }
  }
}
