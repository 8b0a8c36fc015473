import type { StreamCursor } from '../sources/StreamCursor.js';
import type { JobSnapshot } from '../types/JobSnapshot.js';
import type { HeldReads } from './HeldReads.js';
import { SharedRead, type ReadRequest } from './SharedRead.js';

/** Receives every snapshot of a job, whoever asked for it. */
export interface SnapshotListener {
  next(snapshot: JobSnapshot): void;
  /** Called when the last snapshot is out of date. */
  refresh?(): void;
}

/**
 * What a client knows of one job, and what all users of that job share: the read in flight, the last snapshot, the
 * position in its stream. At most one read is in flight. Every snapshot goes to all listeners.
 */
export class KnownJob {
  readonly id: string;
  readonly #heldReads: HeldReads;
  /** Whether the service has said that the job exists. */
  known = false;
  /** Whether the service has said that the job is over. */
  over = false;
  /** When the job was submitted, as `scheduler.now()`. */
  submittedAt: number | undefined;
  /** The last snapshot, while the job has users. */
  last: JobSnapshot | undefined;
  /** How far the stream was read. */
  cursor: StreamCursor | undefined;
  /** Whether the stream is being read. */
  streaming = false;
  /** How many chunks were delivered, counting all readers. */
  chunksDelivered = 0;
  /** How many reads, watches and streams use the job. */
  users = 0;
  #listeners: readonly SnapshotListener[] = [];
  #inFlight: SharedRead | undefined;

  constructor(id: string, heldReads: HeldReads) {
    this.id = id;
    this.#heldReads = heldReads;
  }

  addListener(listener: SnapshotListener): void {
    // `concat` makes an array without spare capacity; `push` and a spread do not.
    this.#listeners = this.#listeners.concat(listener);
  }

  removeListener(listener: SnapshotListener): void {
    this.#listeners = this.#listeners.filter((other) => other !== listener);
  }

  /** Hands a snapshot to all listeners, whether it was read or came as a notice. */
  publish(snapshot: JobSnapshot): void {
    for (const listener of this.#listeners) listener.next(snapshot);
  }

  /**
   * Adds a request to the read in flight, or starts a read for it.
   *
   * @param holdFor - how long the service may hold the answer, in milliseconds. A plain request, with 0, does not wait for
   *   a held read: the held read is aborted, and a plain one answers all requests
   */
  read(request: ReadRequest, holdFor = 0): void {
    const inFlight = this.#inFlight;
    if (!inFlight) {
      this.#inFlight = new SharedRead([request], holdFor);
      this.#inFlight.start(this.#heldReads, (snapshot) => {
        this.#endRead(snapshot);
      });
      return;
    }
    inFlight.join(request);
    if (inFlight.holdFor && !holdFor) this.refresh();
  }

  /** Takes a request back. A read that no request waits for is aborted. */
  leave(request: ReadRequest): void {
    const inFlight = this.#inFlight;
    if (!inFlight?.leave(request)) return;
    this.#inFlight = undefined;
    inFlight.abort();
  }

  /** Reads the job anew because what is known of it, or being read, is out of date. */
  refresh(): void {
    const inFlight = this.#inFlight;
    if (!inFlight) {
      for (const listener of this.#listeners) listener.refresh?.();
      return;
    }
    inFlight.abort();
    this.#inFlight = new SharedRead(inFlight.requests, 0);
    this.#inFlight.start(this.#heldReads, (snapshot) => {
      this.#endRead(snapshot);
    });
  }

  /** A request that comes while the answer is handed out starts a read of its own. */
  #endRead(snapshot: JobSnapshot | undefined): void {
    this.#inFlight = undefined;
    if (!snapshot) return;
    this.last = snapshot;
    this.publish(snapshot);
  }
}
