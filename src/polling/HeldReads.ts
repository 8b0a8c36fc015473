import { catchError, tap, timeout, type Observable, type SchedulerLike } from 'rxjs';
import { isTerminal } from '../protocol/snapshot.js';
import type { JobSnapshot } from '../types/JobSnapshot.js';
import { HELD_MARGIN } from '../http/buildRequest.js';
import type { RateLimiter } from '../http/RateLimiter.js';
import { statusCall } from './statusCall.js';
import type { CallJob, ReadTerms } from './WatchRequest.js';

/**
 * An answer that takes this long counts as held, even where it was asked for a longer time, in milliseconds. It is the
 * longest pause between plain reads, so such an answer saved one.
 */
const MAX_PLAIN_GAP = 5_000;

/** Clocks are not exact: an answer counts as held after this fraction of the time for which it should be held. */
const HELD_FRACTION = 0.9;

/** How long an endpoint is read the plain way after it did not hold an answer, in milliseconds. */
const PLAIN_PERIOD = 600_000;

/**
 * Decides whether a read may ask the service to hold its answer until the job is over (long polling). RunPod no longer
 * documents held reads, so each of them is also a test of the endpoint. Where a held read fails and a plain read does
 * not, or where the answer comes too soon, the endpoint is read the plain way for ten minutes.
 */
export class HeldReads {
  readonly #scheduler: SchedulerLike;
  readonly #rateLimiter: RateLimiter | undefined;
  readonly #call: CallJob;
  #plainUntil = -Infinity;

  /** @param rateLimiter - limits held reads */
  constructor(scheduler: SchedulerLike, rateLimiter: RateLimiter | undefined, call: CallJob) {
    this.#scheduler = scheduler;
    this.#rateLimiter = rateLimiter;
    this.#call = call;
  }

  /** Whether the next read may be held. */
  get available(): boolean {
    return this.#scheduler.now() >= this.#plainUntil && (this.#rateLimiter?.freePlaces() ?? 1) > 0;
  }

  /** Reads a job by a read that the service holds for `holdFor` milliseconds, and by a plain read if the held one fails. */
  read(id: string, { options, meta }: ReadTerms, holdFor: number): Observable<JobSnapshot> {
    const scheduler = this.#scheduler;
    const heldFrom = scheduler.now() + Math.min(holdFor, MAX_PLAIN_GAP) * HELD_FRACTION;
    const switchToPlain = () => (this.#plainUntil = scheduler.now() + PLAIN_PERIOD);
    return this.#call(statusCall(id, meta, holdFor), options).pipe(
      timeout({ first: holdFor + HELD_MARGIN, scheduler }),
      tap((snapshot) => {
        if (!isTerminal(snapshot) && scheduler.now() < heldFrom) switchToPlain();
      }),
      catchError(() => this.#call(statusCall(id, meta), options).pipe(tap(switchToPlain))),
    );
  }
}
