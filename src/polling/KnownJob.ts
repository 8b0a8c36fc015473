import type { StreamCursor } from '../sources/StreamCursor.js';
import type { CallOrigin } from '../types/Activity.js';
import type { JobSnapshot } from '../types/JobSnapshot.js';
import type { Followed } from './FollowedJobs.js';
import { SharedRead, type ReadRequest, type ReadSource } from './SharedRead.js';

/** Receives every snapshot of a job, whoever asked for it. */
export interface SnapshotListener {
  /** @param byNotice - whether a notice brought it, rather than a read */
  next(snapshot: JobSnapshot, byNotice?: boolean): void;
  /** Called when the last snapshot is out of date. */
  refresh?(): void;
  /** Called when a notice says that the job may have changed. */
  hint?(): void;
  /** Called when the source of notices does not follow the job any more, with how far it did. */
  unfollowed?(before: Followed): void;
  /** Whether the listener has the job read at a pace of its own, which a held read of the job would break. */
  readonly readsPlainly?: boolean;
}

/**
 * What a client knows of one job, and what all users of that job share: the read in flight, the last snapshot, the
 * position in its stream. At most one read is in flight. Every snapshot goes to all listeners.
 */
export class KnownJob {
  readonly id: string;
  readonly #source: ReadSource;
  /** Whether the service has said that the job exists. */
  known = false;
  /** When the service has last said that the job is over, on the scheduler's clock. */
  overAt: number | undefined;
  /** Whether the client's activity has told of the end. */
  isEndTold = false;
  /** Whether the job was run again under its id: what is said of its end may be about the run before. */
  retried = false;
  /** The webhook that this client submitted the job with. */
  webhook: string | undefined;
  /** The call of a method that the job comes from: what submitted it, or first asked for it. */
  origin: CallOrigin | undefined;
  /** When the job was submitted, on the scheduler's clock. Never in the future, whatever a reference says. */
  submittedAt: number | undefined;
  /** The same in milliseconds since 1970, by the wall clock of the machine that submitted the job. */
  submissionDate: number | undefined;
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
  /** The read in flight. */
  #read: SharedRead | undefined;

  constructor(id: string, source: ReadSource) {
    this.id = id;
    this.#source = source;
  }

  /** Whether the service has said that the job is over. */
  get over(): boolean {
    return this.overAt !== undefined;
  }

  /**
   * Has a request answered by the read in flight, or by a new one.
   *
   * @param holdFor - how long the service may hold the answer, in milliseconds; 0 for a plain read
   */
  read(request: ReadRequest, holdFor = 0): void {
    if (this.#read) this.#read.join(request, holdFor);
    else {
      this.#read = new SharedRead(this, this.#source, request);
      this.#read.start(holdFor);
    }
  }

  /** Takes a request back from the read that it may wait for. */
  leaveRead(request: ReadRequest): void {
    this.#read?.leave(request);
  }

  /** Whether somebody has the job read at a pace: a held read would be aborted again and again. */
  get isReadPlainly(): boolean {
    return this.#listeners.some(({ readsPlainly }) => readsPlainly);
  }

  /** Whether a read is in flight whose answer the service may hold. */
  get isHeldRead(): boolean {
    return !!this.#read?.isHeld;
  }

  /** The read in flight is over, or was aborted. */
  readEnded(): void {
    this.#read = undefined;
  }

  addListener(listener: SnapshotListener): void {
    // `concat` makes an array without spare capacity; `push` and a spread do not.
    this.#listeners = this.#listeners.concat(listener);
  }

  removeListener(listener: SnapshotListener): void {
    this.#listeners = this.#listeners.filter((other) => other !== listener);
  }

  /** A read gave this snapshot, or a notice that its source vouches for. It goes to all listeners. */
  receive(snapshot: JobSnapshot, byNotice = false): void {
    this.last = snapshot;
    if (byNotice) this.#read?.noticed(snapshot);
    for (const listener of this.#listeners) listener.next(snapshot, byNotice);
  }

  /** The job may have changed, as a notice says, or is of more interest than before: the listeners read it soon. */
  hint(): void {
    for (const listener of this.#listeners) listener.hint?.();
  }

  /** The source of notices does not follow the job any more. */
  unfollowed(before: Followed): void {
    for (const listener of this.#listeners) listener.unfollowed?.(before);
  }

  /** What is known of the job, or being read, is out of date: it is read anew. */
  refresh(): void {
    if (this.#read) this.#read.restart();
    else for (const listener of this.#listeners) listener.refresh?.();
  }
}
