import {
  type Observable,
  ReplaySubject,
  concat,
  defer,
  finalize,
  map,
  merge,
  of,
  share,
  take,
  takeUntil,
  tap,
  timer,
  type SchedulerLike,
} from 'rxjs';
import { isTerminal, type Endpoint, type JobSnapshot } from '../../index.js';
import type { AnswerTexts } from './AnswerTexts.js';

/** How long a page waits for a fresh answer where an older one is known, in milliseconds. */
const PATIENCE = 1_000;

/** How long a snapshot is remembered, in milliseconds. */
const KEEP = 60_000;

/**
 * How old what is known of a job may be for its end to be awaited from there, in milliseconds. Of an older one nobody knows
 * whether it is over long since, so it is read at once.
 */
const RECENT = 5_000;

/** How many characters of answers are remembered in all. */
const MAX_SIZE = 32_000_000;

/** How long a job is watched on after the last page has left, in milliseconds: a page that waits asks again and again. */
const LINGER = 10_000;

interface Remembered {
  readonly snapshot: JobSnapshot;
  readonly size: number;
  readonly at: number;
}

/**
 * The reads of one endpoint's jobs for all pages. However many pages ask for a job, and however often, the service is asked
 * by the schedule of the server's own client, and within its limits. Where these leave a page waiting, it gets the last
 * answer.
 */
export class JobReads {
  readonly #endpoint: Endpoint;
  readonly #texts: AnswerTexts;
  readonly #scheduler: SchedulerLike;
  /** By id, the oldest first. */
  readonly #remembered = new Map<string, Remembered>();
  /** The jobs that are watched on: what is known of them is as new as a read's answer would be. */
  readonly #followed = new Map<string, JobSnapshot>();
  readonly #ends = new Map<string, Observable<JobSnapshot>>();
  #size = 0;

  constructor(endpoint: Endpoint, texts: AnswerTexts, scheduler: SchedulerLike) {
    this.#endpoint = endpoint;
    this.#texts = texts;
    this.#scheduler = scheduler;
  }

  /** Reads a job: emits one snapshot, fresh or, under load, the last one that is known. */
  read(id: string): Observable<JobSnapshot> {
    return defer(() => {
      const known = this.known(id);
      const fresh$ = this.#endpoint.status(id).pipe(
        tap((snapshot) => {
          this.remember(snapshot);
        }),
      );
      if (!known) return fresh$;
      return isTerminal(known) || this.#followed.has(id)
        ? of(known)
        : merge(fresh$, timer(PATIENCE, this.#scheduler).pipe(map(() => known))).pipe(take(1));
    });
  }

  /** Waits until a job is over, at most so many milliseconds, and emits its snapshot. Unsubscribing leaves the others waiting. */
  hold(id: string, wait: number): Observable<JobSnapshot> {
    const end$ = defer(() => this.#endOf(id)).pipe(takeUntil(timer(wait, this.#scheduler)));
    return concat(end$, this.read(id)).pipe(take(1));
  }

  /** Keeps what is known of a job for the pages that ask next, but for a failure, after which the job may run again. */
  remember(snapshot: JobSnapshot): void {
    const { id } = snapshot;
    this.#drop(id);
    // The job may be run again, by others than this proxy, too: then a failure that is told from memory is not its end.
    if (snapshot.status === 'FAILED' || snapshot.status === 'TIMED_OUT') return;
    const size = this.#texts.of(snapshot).length;
    if (size > MAX_SIZE / 8) return;
    this.#remembered.set(id, { snapshot, size, at: this.#scheduler.now() });
    this.#size += size;
    for (const [oldest, { at }] of this.#remembered) {
      if (this.#size <= MAX_SIZE && this.#scheduler.now() - at < KEEP) break;
      this.#drop(oldest);
    }
  }

  /** Keeps what is known of a job that is watched on: pages that ask get it, and the service is not asked. */
  follow(snapshot: JobSnapshot): void {
    this.remember(snapshot);
    this.#followed.set(snapshot.id, snapshot);
  }

  /** A job is not watched on. */
  unfollow(id: string): void {
    this.#followed.delete(id);
  }

  /** Forgets what is known of a job, since a request has changed it. */
  forget(id: string): void {
    this.unfollow(id);
    this.#drop(id);
  }

  /** What is known of a job that is watched on, or was read no longer ago than `maxAge` milliseconds. */
  known(id: string, maxAge = KEEP): JobSnapshot | undefined {
    const known = this.#remembered.get(id);
    return this.#followed.get(id) ?? (known && this.#scheduler.now() - known.at < maxAge ? known.snapshot : undefined);
  }

  #drop(id: string): void {
    const known = this.#remembered.get(id);
    if (!known) return;
    this.#size -= known.size;
    this.#remembered.delete(id);
  }

  /** The end of a job, for all pages that wait for it. */
  #endOf(id: string): Observable<JobSnapshot> {
    const known = this.known(id);
    if (known && isTerminal(known)) return of(known);
    let end$ = this.#ends.get(id);
    if (!end$) {
      end$ = this.#endpoint.watchToEnd(this.known(id, RECENT) ?? id).pipe(
        tap((snapshot) => {
          this.remember(snapshot);
        }),
        finalize(() => this.#ends.delete(id)),
        share({
          connector: () => new ReplaySubject(1),
          resetOnRefCountZero: () => timer(LINGER, this.#scheduler),
        }),
      );
      this.#ends.set(id, end$);
    }
    return end$;
  }
}
