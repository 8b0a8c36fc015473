import { Subscription } from 'rxjs';
import { isTerminal } from '../protocol/snapshot.js';
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
  /** Called when the read is over or was aborted, before its requests are answered. */
  readEnded(): void;
  /** Called with the snapshot, before the requests are answered. */
  receive(snapshot: JobSnapshot): void;
}

/**
 * One read of a job in flight. All requests for the job wait for it together: the first request says how the job is read,
 * and those that come later get the same answer. The read is aborted when no request waits for it any more.
 */
export class SharedRead {
  readonly #job: ReadJob;
  readonly #source: ReadSource;
  readonly #requests: ReadRequest[];
  /** How long the service may hold the answer, in milliseconds; 0 for a plain read. */
  #holdFor = 0;
  /** What a notice has told while a plain read was in flight. */
  #newer: JobSnapshot | undefined;
  #subscription = Subscription.EMPTY;

  /** @param first - the request that the read is made for */
  constructor(job: ReadJob, source: ReadSource, first: ReadRequest) {
    this.#job = job;
    this.#source = source;
    this.#requests = [first];
  }

  /** Whether the service may hold the answer. */
  get isHeld(): boolean {
    return this.#holdFor > 0;
  }

  /** @param holdFor - how long the service may hold the answer, in milliseconds; 0 for a plain read */
  start(holdFor: number): void {
    const { id } = this.#job;
    const { call, heldReads } = this.#source;
    const { options, meta } = (this.#requests[0] as ReadRequest).terms;
    const subscription = new Subscription();
    this.#subscription = subscription;
    this.#holdFor = holdFor;
    this.#newer = undefined;
    linkSubscription(subscription, () =>
      holdFor ? heldReads.read(id, { options, meta }, holdFor) : call(statusCall(id, meta), options),
    ).subscribe({
      next: (answer) => {
        const requests = this.#end();
        const snapshot = this.#newer && !isTerminal(answer) ? this.#newer : answer;
        this.#job.receive(snapshot);
        for (const request of requests) request.answer?.(snapshot);
      },
      error: (error: unknown) => {
        for (const request of this.#end()) request.error(error);
      },
    });
  }

  /**
   * Adds a request.
   *
   * @param holdFor - a plain request, with 0, does not wait for a held read: the held read is aborted, and a plain one
   *   answers all requests
   */
  join(request: ReadRequest, holdFor: number): void {
    this.#requests.push(request);
    if (this.#holdFor && !holdFor) this.restart();
  }

  /**
   * A notice tells of the job's state while the read is in flight. The answer of a plain read, which comes soon, may be
   * older: it counts only where it says that the job is over. A held read is answered with the state of that moment.
   */
  noticed(snapshot: JobSnapshot): void {
    if (!this.#holdFor) this.#newer = snapshot;
  }

  /** Takes a request back. A read that no request waits for is aborted. */
  leave(request: ReadRequest): void {
    const index = this.#requests.indexOf(request);
    if (index < 0) return;
    this.#requests.splice(index, 1);
    if (this.#requests.length) return;
    this.#job.readEnded();
    this.#subscription.unsubscribe();
  }

  /** Aborts the request on the wire, whose answer would be out of date, and reads anew. */
  restart(): void {
    this.#holdFor = 0;
    this.#subscription.unsubscribe();
    // Unsubscribing runs foreign code, in which the last request may have left.
    if (this.#requests.length) this.start(0);
  }

  /** A request that comes while the answer is handed out starts a read of its own. */
  #end(): readonly ReadRequest[] {
    this.#job.readEnded();
    return this.#requests;
  }
}
