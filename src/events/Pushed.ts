/** What the server has told of a job, or, without one, that nothing can be relied on any more. */
export interface Pushed {
  readonly job?: { readonly id: string; readonly status?: unknown };
  readonly follows?: 'changes' | 'end' | 'nothing';
  /** An answer of the job's stream, or `null` where no more of it is pushed. */
  readonly stream?: object | null;
  /** Where to go on after a break. */
  readonly position?: string | undefined;
}

export const LOST: Pushed = { follows: 'nothing' };

/** How many jobs are kept for those who listen later. */
const MAX_JOBS = 256;

/** What a page knows of what the server follows: for those who listen later, and for a connection after a break. */
export class PageState {
  position: string | undefined;
  /** Whether there are no events at the address. */
  isGone = false;
  readonly #jobs = new Map<string, Pushed>();

  /** What to tell somebody who listens from now on. A job that is over is only named, so that it is read. */
  get latest(): readonly Pushed[] {
    return [...this.#jobs.values()];
  }

  keep(pushed: Pushed): void {
    const { job, stream, position = this.position } = pushed;
    this.position = position;
    // Who listens later asks for it.
    if (stream !== undefined) return;
    if (!job) {
      this.forget();
      return;
    }
    const { id, status } = job;
    const isOver = /^(COMPLETED|FAILED|CANCELLED|TIMED_OUT)$/.test(String(status));
    this.#jobs.delete(id);
    this.#jobs.set(id, isOver ? { job: { id }, follows: 'nothing' } : pushed);
    const [oldest = ''] = this.#jobs.keys();
    if (this.#jobs.size > MAX_JOBS) this.#jobs.delete(oldest);
  }

  forget(): void {
    this.#jobs.clear();
  }
}
