import { Subscription } from 'rxjs';
import type { JobSnapshot } from '../types/JobSnapshot.js';
import type { HeldReads } from './HeldReads.js';
import { linkSubscription } from './linkSubscription.js';
import { statusCall } from './statusCall.js';
import type { CallJob, ReadTerms } from './WatchRequest.js';

/** A request for one snapshot of a job. */
export interface ReadRequest {
  /** How to read the job, if this is the request that starts the read. */
  readonly terms: ReadTerms;
  answer?(snapshot: JobSnapshot): void;
  error(error: unknown): void;
}

/** What the reads of an endpoint's jobs are made with. */
export interface ReadSource {
  readonly call: CallJob;
  readonly heldReads: HeldReads;
}

/** The job that is read. */
interface ReadJob {
  readonly id: string;
  /** Called with each snapshot, before the requests are answered. */
  receive(snapshot: JobSnapshot): void;
}

/**
 * The reads of one job: at most one is in flight, and all requests wait for it together. The first request says how the
 * job is read; those that come later get the same answer. The read is aborted when no request waits for it any more.
 */
export class SharedRead {
  readonly #job: ReadJob;
  readonly #source: ReadSource;
  /** The requests that wait for the read in flight; `undefined` while there is none. */
  #requests: ReadRequest[] | undefined;
  /** How long the service may hold the answer to that read, in milliseconds; 0 for a plain read. */
  #holdFor = 0;
  #subscription = Subscription.EMPTY;

  constructor(job: ReadJob, source: ReadSource) {
    this.#job = job;
    this.#source = source;
  }

  get inFlight(): boolean {
    return this.#requests !== undefined;
  }

  /**
   * Adds a request to the read in flight, or starts a read for it.
   *
   * @param holdFor - how long the service may hold the answer, in milliseconds. A plain request, with 0, does not wait for
   *   a held read: the held read is aborted, and a plain one answers all requests
   */
  read(request: ReadRequest, holdFor = 0): void {
    if (!this.#requests) {
      this.#start([request], holdFor);
      return;
    }
    this.#requests.push(request);
    if (this.#holdFor && !holdFor) this.restart();
  }

  /** Takes a request back. A read that no request waits for is aborted. */
  leave(request: ReadRequest): void {
    const requests = this.#requests ?? [];
    const index = requests.indexOf(request);
    if (index < 0) return;
    requests.splice(index, 1);
    if (requests.length) return;
    this.#requests = undefined;
    this.#subscription.unsubscribe();
  }

  /** Aborts the read in flight, whose answer would be out of date, and reads anew for its requests. */
  restart(): void {
    if (!this.#requests) return;
    this.#subscription.unsubscribe();
    // Unsubscribing runs foreign code, in which the last request may have left.
    const requests = this.#requests as ReadRequest[] | undefined;
    if (requests) this.#start(requests, 0);
  }

  #start(requests: ReadRequest[], holdFor: number): void {
    const { id } = this.#job;
    const { call, heldReads } = this.#source;
    const { options, meta } = (requests[0] as ReadRequest).terms;
    const subscription = new Subscription();
    this.#subscription = subscription;
    this.#requests = requests;
    this.#holdFor = holdFor;
    linkSubscription(subscription, () =>
      holdFor ? heldReads.read(id, { options, meta }, holdFor) : call(statusCall(id, meta), options),
    ).subscribe({
      next: (snapshot) => {
        // A request that comes while the answer is handed out starts a read of its own.
        this.#requests = undefined;
        this.#job.receive(snapshot);
        for (const request of requests) request.answer?.(snapshot);
      },
      error: (error: unknown) => {
        this.#requests = undefined;
        for (const request of requests) request.error(error);
      },
    });
  }
}
