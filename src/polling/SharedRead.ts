import { Subscription } from 'rxjs';
import type { JobSnapshot } from '../types/JobSnapshot.js';
import type { HeldReads } from './HeldReads.js';
import { linkSubscription } from './linkSubscription.js';
import type { ReadJob } from './WatchRequest.js';

/** A wait for one read of a job. A job's listeners receive the snapshot as well, whoever asked for the read. */
export interface ReadRequest {
  /** How to read the job, if this is the request that starts the read. */
  readonly request: { readonly readJob: ReadJob };
  answer?(snapshot: JobSnapshot): void;
  error(error: unknown): void;
}

/**
 * The read of a job that is in flight, and the requests that wait for it. The first request says how the job is read;
 * those that come later get the same answer. The read is aborted when no request waits for it any more.
 */
export class SharedRead {
  readonly requests: ReadRequest[];
  /** How long the service may hold the answer, in milliseconds; 0 for a plain read. */
  readonly holdFor: number;
  readonly #subscription = new Subscription();

  constructor(requests: ReadRequest[], holdFor: number) {
    this.requests = requests;
    this.holdFor = holdFor;
  }

  /** @param end - called when the read ends, before its requests are answered: with the snapshot, if it succeeded */
  start(heldReads: HeldReads, end: (snapshot?: JobSnapshot) => void): void {
    const { requests, holdFor } = this;
    linkSubscription(this.#subscription, () => {
      const request = requests[0]?.request;
      return holdFor && request ? heldReads.read(request, holdFor) : request?.readJob();
    }).subscribe({
      next: (snapshot) => {
        end(snapshot);
        for (const request of requests) request.answer?.(snapshot);
      },
      error: (error: unknown) => {
        end();
        for (const request of requests) request.error(error);
      },
    });
  }

  join(request: ReadRequest): void {
    this.requests.push(request);
  }

  /** Takes a request back. Returns whether no other request waits for the read. */
  leave(request: ReadRequest): boolean {
    const index = this.requests.indexOf(request);
    if (index < 0) return false;
    this.requests.splice(index, 1);
    return this.requests.length === 0;
  }

  abort(): void {
    this.#subscription.unsubscribe();
  }
}
