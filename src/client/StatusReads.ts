import {
  EMPTY,
  Subject,
  defer,
  filter,
  finalize,
  merge,
  mergeMap,
  of,
  share,
  startWith,
  switchMap,
  take,
  tap,
  type Observable,
} from 'rxjs';
import { isRecord } from '../protocol/json.js';
import { snapshotOf } from '../protocol/snapshot.js';
import { pollStatus, type PollStatusOptions } from '../sources/pollStatus.js';
import type { JobSnapshot } from '../types/JobSnapshot.js';

/** Reads a job over the wire. */
type Fetch = () => Observable<JobSnapshot>;

/** What the watchers of one job share. */
interface Shared {
  /** The read in flight. */
  reading?: Observable<JobSnapshot>;
  /** Every answer, for those who did not ask for it. */
  readonly heard$: Subject<JobSnapshot>;
  /** Says that what is known, or being read, is out of date. */
  readonly stale$: Subject<void>;
  last?: JobSnapshot;
  users: number;
}

/**
 * Reads of jobs, shared by id: at most one request at a time for each job, and everyone who watches it gets the answer.
 * Each watcher keeps its own pace, timeout and errors; whoever wants an answer first makes the request.
 */
export class StatusReads {
  readonly #jobs = new Map<string, Shared>();
  readonly #notices$: Observable<JobSnapshot>;

  constructor(notices: Observable<unknown> = EMPTY) {
    this.#notices$ = notices.pipe(
      mergeMap((notice) => {
        const parsed = isRecord(notice) ? snapshotOf(notice) : undefined;
        return parsed && 'value' in parsed ? of(parsed.value) : EMPTY;
      }),
      share(),
    );
  }

  /** The last answer, while someone watches the job. */
  last(id: string): JobSnapshot | undefined {
    return this.#jobs.get(id)?.last;
  }

  /** One answer: that of the read in flight, or of a new one. */
  read(id: string, fetch: Fetch): Observable<JobSnapshot> {
    return this.#using(id, (job) => this.#reading(job, fetch));
  }

  /** Polls a job until it is over. */
  watch(id: string, fetch: Fetch, options: PollStatusOptions): Observable<JobSnapshot> {
    return this.#using(id, (job) =>
      pollStatus(() => this.#reading(job, fetch), {
        ...options,
        notices: merge(
          job.heard$,
          job.stale$.pipe(switchMap(() => this.#reading(job, fetch))),
          this.#notices$.pipe(filter((notice) => notice.id === id)),
        ),
      }),
    );
  }

  /** Reads a watched job anew, because something was done to it. */
  refresh(id: string): void {
    this.#jobs.get(id)?.stale$.next();
  }

  #reading(job: Shared, fetch: Fetch): Observable<JobSnapshot> {
    return defer(() => {
      if (job.reading) return job.reading;
      const reading: Observable<JobSnapshot> = job.stale$.pipe(
        startWith(undefined),
        switchMap(fetch),
        take(1),
        tap((snapshot) => {
          job.last = snapshot;
          job.heard$.next(snapshot);
        }),
        finalize(() => {
          if (job.reading === reading) delete job.reading;
        }),
        share(),
      );
      job.reading = reading;
      return reading;
    });
  }

  #using<T>(id: string, use: (job: Shared) => Observable<T>): Observable<T> {
    return defer(() => {
      const job = this.#jobs.get(id) ?? { heard$: new Subject(), stale$: new Subject(), users: 0 };
      this.#jobs.set(id, job);
      job.users++;
      return use(job).pipe(
        finalize(() => {
          if (--job.users === 0) this.#jobs.delete(id);
        }),
      );
    });
  }
}
