import type { Follows } from '../protocol/vouchedNotice.js';

/** How many jobs are kept: those that were followed first are forgotten, and read as if nobody followed them. */
const MAX_FOLLOWED_JOBS = 4096;

/** What a source of notices will tell of a job. */
export type Followed = Exclude<Follows, 'nothing'>;

/** Which jobs the source of notices follows, and how far. It may name a job before this client has the answer to `/run`. */
export class FollowedJobs {
  readonly #jobs = new Map<string, Followed>();

  get(id: string): Followed | undefined {
    return this.#jobs.get(id);
  }

  set(id: string, followed: Followed): void {
    this.#jobs.delete(id);
    this.#jobs.set(id, followed);
    const [oldest = ''] = this.#jobs.keys();
    if (this.#jobs.size > MAX_FOLLOWED_JOBS) this.#jobs.delete(oldest);
  }

  /** Takes a job out, and returns how far it was followed. */
  take(id: string): Followed | undefined {
    const followed = this.#jobs.get(id);
    this.#jobs.delete(id);
    return followed;
  }

  /** Takes all jobs out. */
  takeAll(): readonly (readonly [id: string, followed: Followed])[] {
    const all = [...this.#jobs];
    this.#jobs.clear();
    return all;
  }
}
