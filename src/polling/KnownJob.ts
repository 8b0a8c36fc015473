import { Subscription, type Observable } from 'rxjs';
import type { StreamCursor } from '../sources/StreamCursor.js';
import type { JobSnapshot } from '../types/JobSnapshot.js';
import { linkSubscription } from './linkSubscription.js';

/** Reads a job once; the service may hold it for so many milliseconds. */
export type ReadJob = (wait?: number) => Observable<JobSnapshot>;

/** One who hears every answer about a job, whoever asked for it. */
export interface SnapshotListener {
  next(snapshot: JobSnapshot): void;
  /** What it knows is out of date. */
  refresh?(): void;
}

/** One who waits for a read. What is answered is also heard by those who listen. */
export interface ReadRequest {
  readonly fetch: ReadJob;
  answer?(snapshot: JobSnapshot): void;
  error(error: unknown): void;
}

interface Reading {
  readonly askers: ReadRequest[];
  readonly wait: number | undefined;
  readonly subscription: Subscription;
}

/** Who counts those that look at a job, and is told by each that leaves. */
export interface Keeper {
  left(job: KnownJob): void;
}

/** What a client knows of a job, and what those who look at it share. */
export class KnownJob {
  readonly id: string;
  readonly jobs: Keeper;
  /** The service has told of it. */
  known = false;
  /** The service has said that it is over. */
  over = false;
  /** When it was submitted, as `scheduler.now()`. */
  submittedAt: number | undefined;
  /** The last answer, while someone looks. */
  last: JobSnapshot | undefined;
  /** How far the stream was read, and whether somebody reads it. */
  cursor: StreamCursor | undefined;
  streaming = false;
  /** How many of its chunks were given out, to whomever. */
  chunksDelivered = 0;
  /** How many look at it. */
  users = 0;
  #listeners: readonly SnapshotListener[] = [];
  #reading: Reading | undefined;

  constructor(id: string, jobs: Keeper) {
    this.id = id;
    this.jobs = jobs;
  }

  listen(listener: SnapshotListener): void {
    // An array that `push` makes, as a spread does, has room for many more.
    this.#listeners = this.#listeners.concat(listener);
  }

  unlisten(listener: SnapshotListener): void {
    this.#listeners = this.#listeners.filter((one) => one !== listener);
  }

  /** An answer has come, or somebody else says what it would be. */
  hear(snapshot: JobSnapshot): void {
    for (const listener of this.#listeners) listener.next(snapshot);
  }

  /**
   * Has an asker told of the read in flight, or of a new one.
   *
   * @param wait - how long the service may hold it; one that is held is given up for who does not want that
   */
  ask(asker: ReadRequest, wait?: number): void {
    const reading = this.#reading;
    if (reading) reading.askers.push(asker);
    else this.#read([asker], wait);
    if (reading?.wait && !wait) this.refresh();
  }

  /** An asker no longer waits. A read that nobody waits for is aborted. */
  leave(asker: ReadRequest): void {
    const reading = this.#reading;
    const place = reading ? reading.askers.indexOf(asker) : -1;
    if (!reading || place < 0) return;
    reading.askers.splice(place, 1);
    if (reading.askers.length) return;
    this.#reading = undefined;
    reading.subscription.unsubscribe();
  }

  /** What is known, or being read, is out of date: who looks has it read anew. */
  refresh(): void {
    const reading = this.#reading;
    reading?.subscription.unsubscribe();
    if (reading) this.#read(reading.askers);
    else for (const listener of this.#listeners) listener.refresh?.();
  }

  #read(askers: ReadRequest[], wait?: number): void {
    const reading: Reading = { askers, wait, subscription: new Subscription() };
    this.#reading = reading;
    linkSubscription(reading.subscription, () => askers[0]?.fetch(wait)).subscribe({
      // Whoever asks while it is being given out asks anew.
      next: (snapshot) => {
        this.#reading = undefined;
        this.last = snapshot;
        this.hear(snapshot);
        for (const asker of askers) asker.answer?.(snapshot);
      },
      error: (error: unknown) => {
        this.#reading = undefined;
        for (const asker of askers) asker.error(error);
      },
    });
  }
}
