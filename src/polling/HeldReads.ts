import { catchError, tap, timeout, type Observable, type SchedulerLike } from 'rxjs';
import { isTerminal } from '../protocol/snapshot.js';
import type { JobSnapshot } from '../types/JobSnapshot.js';
import type { ReadJob } from './KnownJob.js';
import type { RateLimiter } from '../http/RateLimiter.js';

/** How long the server may take beyond the time it was asked to hold an answer, in milliseconds. */
export const HELD_MARGIN = 15_000;

/** An answer that comes after this time was held, even if not for as long as was asked: plain reads are no farther apart. */
const LONG = 5_000;

/** How long it is remembered that an endpoint does not hold its answers, in milliseconds. */
const PLAIN = 600_000;

/**
 * Reads that the service holds until the job is over. That it does so is documented no more, so each of them is a probe:
 * where one fails and a plain one does not, or is answered too soon, the endpoint is read the plain way for a while.
 */
export class HeldReads {
  readonly #scheduler: SchedulerLike;
  readonly #room: RateLimiter | undefined;
  #plainUntil = -Infinity;

  constructor(scheduler: SchedulerLike, room: RateLimiter | undefined) {
    this.#scheduler = scheduler;
    this.#room = room;
  }

  /** Whether another read may be held. */
  get open(): boolean {
    return this.#scheduler.now() >= this.#plainUntil && (this.#room?.freePlaces() ?? 1) > 0;
  }

  /** Makes a read that is held for so long, if at all, and a plain one where that fails: an error is one of that. */
  read(job: { readonly readJob: ReadJob }, wait?: number): Observable<JobSnapshot> {
    if (!wait) return job.readJob();
    const scheduler = this.#scheduler;
    // Some clocks are less than exact.
    const soon = scheduler.now() + Math.min(wait, LONG) * 0.9;
    const refused = () => (this.#plainUntil = scheduler.now() + PLAIN);
    return job.readJob(wait).pipe(
      timeout({ first: wait + HELD_MARGIN, scheduler }),
      tap((snapshot) => {
        if (!isTerminal(snapshot) && scheduler.now() < soon) refused();
      }),
      catchError(() => job.readJob().pipe(tap(refused))),
    );
  }
}
