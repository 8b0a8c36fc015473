import { catchError, tap, timeout, type Observable, type SchedulerLike } from 'rxjs';
import { ConnectionError } from '../errors/ConnectionError.js';
import { HttpError } from '../errors/HttpError.js';
import { HELD_MARGIN } from '../http/buildRequest.js';
import type { RateLimiter } from '../http/RateLimiter.js';
import { isTerminal } from '../protocol/snapshot.js';
import { statusRule } from '../protocol/statusRules.js';
import type { JobSnapshot } from '../types/JobSnapshot.js';
import { statusCall } from './statusCall.js';
import type { CallJob, ReadTerms } from './WatchRequest.js';

/**
 * An answer that takes this long counts as held, even where it was asked for a longer time, in milliseconds. It is the
 * longest pause between plain reads, so such an answer saved one.
 */
const MAX_PLAIN_GAP = 5_000;

/** Clocks are not exact: an answer counts as held after this fraction of the time for which it should be held. */
const HELD_FRACTION = 0.9;

/** An answer about a job that is over shows that it was held when it took this long, in milliseconds. */
const SHOWN_HELD = 1_000;

/** How many reads are held at once until one was shown to be held: more would all be late where the network loses them. */
const TRIAL_READS = 4;

/** How often in a row held reads may be cut off before the endpoint is read the plain way: one cut may be chance. */
const MAX_CUTS = 3;

/** It may not pass, unlike other errors of a server. */
const NOT_IMPLEMENTED = 501;

/** A timer that is so late shows that the machine slept, in milliseconds: the service may have answered meanwhile. */
const LATE_TIMER = 1_000;

/** How long an endpoint is read the plain way after it did not hold its answers, in milliseconds. */
const PLAIN_PERIOD = 600_000;

/** What {@link HeldReads} works with. */
export interface HeldReadsOptions {
  /** All time comes from it. */
  readonly scheduler: SchedulerLike;
  /** Limits the endpoint's held reads. */
  readonly rateLimiter: RateLimiter | undefined;
  /** Limits the held reads of all endpoints, where the client's connections are few. */
  readonly connections: RateLimiter | undefined;
  /** Makes the calls. */
  readonly call: CallJob;
}

/**
 * Reads that ask the service to hold its answer until the job is over (long polling). RunPod no longer documents them, so
 * each of them is also a test of the endpoint. Where a held read is refused, is answered at once or is never answered, and
 * a plain read works, the endpoint is read the plain way for ten minutes; likewise where held reads are cut off again and
 * again. After that, a few reads try anew.
 */
export class HeldReads {
  readonly #options: HeldReadsOptions;
  #plainUntil = -Infinity;
  #works = false;
  /** How often in a row held reads were cut off, and when the last of these cuts was. */
  #cuts = 0;
  #cutAt = -Infinity;

  constructor(options: HeldReadsOptions) {
    this.#options = options;
  }

  /** Whether the endpoint was shown to hold its answers, as it is now. */
  get works(): boolean {
    return this.#works;
  }

  /** How many reads may be held at once. */
  get places(): number {
    const { scheduler, rateLimiter, connections } = this.#options;
    if (scheduler.now() < this.#plainUntil) return 0;
    const places = Math.min(rateLimiter?.concurrent ?? Infinity, connections?.concurrent ?? Infinity);
    return this.#works ? places : Math.min(places, TRIAL_READS);
  }

  /**
   * How many held reads may be sent now.
   *
   * @param wake - called once, later, when one may be sent, where there is no place now
   */
  freePlaces(wake?: () => void): number {
    const { rateLimiter, connections } = this.#options;
    const free = rateLimiter?.freePlaces(wake) ?? Infinity;
    return free > 0 ? Math.min(free, connections?.freePlaces(wake) ?? Infinity) : 0;
  }

  /** Forgets a callback that was given to `freePlaces`. */
  stopWaiting(wake: () => void): void {
    this.#options.rateLimiter?.stopWaiting(wake);
    this.#options.connections?.stopWaiting(wake);
  }

  /**
   * Reads a job by a read that the service holds for `holdFor` milliseconds, and by a plain read if the held one fails, or
   * if others have taken the place that was free a moment ago: a running job is not left unread while it waits for one.
   */
  read(id: string, { options, meta }: ReadTerms, holdFor: number): Observable<JobSnapshot> {
    const { scheduler, connections, call } = this.#options;
    if (this.freePlaces() <= 0) return call(statusCall(id, meta), options);
    const begunAt = scheduler.now();
    const held$ = call(statusCall(id, meta, holdFor), options).pipe(
      timeout({ first: holdFor + HELD_MARGIN, scheduler }),
    );
    const connected$ = connections ? connections.run(held$, { urgent: false, onWait: () => undefined }) : held$;
    return connected$.pipe(
      tap((snapshot) => {
        this.#judgeAnswer(snapshot, scheduler.now() - begunAt, holdFor);
      }),
      catchError((error: unknown) => {
        const slept = scheduler.now() - begunAt > holdFor + HELD_MARGIN + LATE_TIMER;
        return call(statusCall(id, meta), options).pipe(
          tap(() => {
            if (!slept) this.#judgeFailure(error, begunAt);
          }),
        );
      }),
    );
  }

  #judgeAnswer(snapshot: JobSnapshot, took: number, holdFor: number): void {
    // What was held before the endpoint proved not to hold its answers says nothing of those to come.
    if (this.#options.scheduler.now() < this.#plainUntil) return;
    const wasHeld = took >= Math.min(holdFor, MAX_PLAIN_GAP) * HELD_FRACTION;
    if (wasHeld || (isTerminal(snapshot) && took >= SHOWN_HELD)) {
      this.#works = true;
      this.#cuts = 0;
    } else if (!isTerminal(snapshot)) this.#readPlainly();
  }

  /** A held read failed, and a plain read after it did not. */
  #judgeFailure(error: unknown, begunAt: number): void {
    if (!wasCut(error)) {
      this.#readPlainly();
      return;
    }
    // Reads that are cut off together count as one.
    if (begunAt < this.#cutAt) return;
    this.#cutAt = this.#options.scheduler.now();
    this.#cuts++;
    if (this.#cuts >= MAX_CUTS) this.#readPlainly();
  }

  #readPlainly(): void {
    this.#plainUntil = this.#options.scheduler.now() + PLAIN_PERIOD;
    this.#works = false;
    this.#cuts = 0;
  }
}

/** Whether a read failed as any may. A refusal does not pass, and silence would make the next read late, too. */
function wasCut(error: unknown): boolean {
  if (error instanceof HttpError) return statusRule(error.status).retryable && error.status !== NOT_IMPLEMENTED;
  return error instanceof ConnectionError;
}
