import { Observable, Subscription } from 'rxjs';
import { sameJson } from '../protocol/json.js';
import type { StreamCursor } from '../sources/StreamCursor.js';
import type { JobSnapshot } from '../types/JobSnapshot.js';

/** One who hears every answer about a job, whoever asked for it. */
export interface Listener {
  hear(snapshot: JobSnapshot): void;
  /** What it knows is out of date. */
  refresh?(): void;
}

/** One who waits for a read. */
export interface Asker {
  /** Makes it. */
  fetch(): Observable<JobSnapshot>;
  answer(snapshot: JobSnapshot): void;
  fail(error: unknown): void;
}

interface Reading {
  readonly askers: Asker[];
  readonly subscription: Subscription;
}

const NOBODY: readonly Listener[] = [];

/** Who counts those that look at a job, and is told by each that leaves. */
export interface Keeper {
  left(job: JobRecord): void;
}

/** What a client knows of a job, and what those who look at it share. */
export class JobRecord {
  readonly id: string;
  readonly keeper: Keeper;
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
  /** How many look at it. */
  users = 0;
  #listeners = NOBODY;
  #reading: Reading | undefined;

  constructor(id: string, keeper: Keeper) {
    this.id = id;
    this.keeper = keeper;
  }

  listen(listener: Listener): void {
    // An array that `push` makes, as a spread does, has room for many more.
    this.#listeners = this.#listeners.concat(listener);
  }

  unlisten(listener: Listener): void {
    this.#listeners = this.#listeners.filter((one) => one !== listener);
  }

  /** An answer has come, or somebody else says what it would be. */
  hear(snapshot: JobSnapshot): void {
    for (const listener of this.#listeners) listener.hear(snapshot);
  }

  /** Has an asker told of the read in flight, or of a new one. */
  ask(asker: Asker): void {
    if (this.#reading) this.#reading.askers.push(asker);
    else this.#read([asker]);
  }

  /** An asker no longer waits. A read that nobody waits for is aborted. */
  leave(asker: Asker): void {
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

  #read(askers: Asker[]): void {
    const reading: Reading = { askers, subscription: new Subscription() };
    this.#reading = reading;
    // Whoever asks while the answer is being given out asks anew.
    const end = (tell: (asker: Asker) => void) => {
      if (this.#reading === reading) this.#reading = undefined;
      for (const asker of [...askers]) tell(asker);
    };
    new Observable<JobSnapshot>((subscriber) => {
      // Who leaves while the read is being made has it not made.
      reading.subscription.add(subscriber);
      askers[0]?.fetch().subscribe(subscriber);
    }).subscribe({
      next: (snapshot) => {
        this.#reading = undefined;
        // One that says the same is not kept beside those that were given out.
        if (!this.last || !sameJson(this.last.raw, snapshot.raw)) this.last = snapshot;
        const { last } = this;
        this.hear(last);
        end((asker) => {
          asker.answer(last);
        });
      },
      error: (error: unknown) => {
        end((asker) => {
          asker.fail(error);
        });
      },
    });
  }
}
