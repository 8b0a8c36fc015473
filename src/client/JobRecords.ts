import {
  EMPTY,
  Subject,
  catchError,
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
  throwError,
  type Observable,
} from 'rxjs';
import type { RunpodError } from '../errors/RunpodError.js';
import { isRecord } from '../protocol/json.js';
import { snapshotOf } from '../protocol/snapshot.js';
import { pollStatus, type PollStatusOptions } from '../sources/pollStatus.js';
import { streamCursor, type StreamCursor } from '../sources/StreamCursor.js';
import type { JobRef } from '../types/JobRef.js';
import type { JobSnapshot } from '../types/JobSnapshot.js';

/** How many jobs are remembered, the newest. */
const KEPT = 4096;

/** What a client knows of a job, and what those who look at it share. */
interface JobRecord {
  /** The service has told of it. */
  known?: boolean;
  /** The service has said that it is over. */
  over?: boolean;
  /** When it was submitted, as `scheduler.now()`. */
  submittedAt?: number;
  /** The read in flight. */
  reading$?: Observable<JobSnapshot>;
  /** Every answer, for those who did not ask for it. */
  readonly heard$: Subject<JobSnapshot>;
  /** Says that what is known, or being read, is out of date. */
  readonly stale$: Subject<void>;
  /** The last answer, while someone looks. */
  last?: JobSnapshot;
  /** How far the stream was read. */
  cursor?: StreamCursor;
  streaming?: boolean;
  users: number;
}

type Fetch = () => Observable<JobSnapshot>;

/**
 * The jobs of an endpoint that this client knows.
 *
 * Reading one is shared: at most one request at a time for each job, and everyone who watches it gets the answer. Each
 * watcher keeps its own pace, timeout and errors; whoever wants an answer first makes the request. A stream has one
 * reader, and the next one goes on where the last one left.
 */
export class JobRecords {
  readonly #jobs = new Map<string, JobRecord>();
  readonly #notices$: Observable<JobSnapshot>;

  constructor(notices: Observable<unknown> = EMPTY) {
    this.#notices$ = notices.pipe(
      // A channel that breaks must not cut the watchers off from each other.
      catchError(() => EMPTY),
      mergeMap((notice): Observable<JobSnapshot> => {
        const parsed = isRecord(notice) ? snapshotOf(notice) : undefined;
        return parsed && 'value' in parsed ? of(parsed.value) : EMPTY;
      }),
      share(),
    );
  }

  /** What is known of a job. */
  get(id: string | undefined): Readonly<Pick<JobRecord, 'known' | 'over' | 'submittedAt' | 'last'>> | undefined {
    return this.#jobs.get(id ?? '');
  }

  /** Takes a reference's word for when a job was submitted. */
  recall(id: string, submittedAt: number | undefined): void {
    if (submittedAt !== undefined) this.#job(id).submittedAt ??= submittedAt;
  }

  /** Whether chunks may be missing behind those of a stream that were delivered. */
  gap(id: string): boolean {
    const { cursor } = this.#jobs.get(id) ?? {};
    return !!cursor && (!!cursor.gap || cursor.pending.length > 0);
  }

  /** Notes that a job exists, whether it is over, and when it was submitted, if just now. */
  note(id: string, submittedAt?: number, over = false): void {
    const job = this.#job(id);
    job.known = true;
    if (over) job.over = true;
    if (submittedAt === undefined) return;
    job.over = over;
    job.submittedAt = submittedAt;
    // It runs anew, and so does its stream.
    delete job.cursor;
  }

  /** One answer: that of the read in flight, or of a new one. */
  read(id: string, fetch: Fetch): Observable<JobSnapshot> {
    return this.#using(id, (job) => reading(job, fetch));
  }

  /** Polls a job until it is over. */
  watch(id: string, fetch: Fetch, options: PollStatusOptions): Observable<JobSnapshot> {
    return this.#using(id, (job) => {
      const read = () => reading(job, fetch);
      return pollStatus(read, {
        ...options,
        submittedAt: job.submittedAt,
        notices: merge(
          job.heard$,
          job.stale$.pipe(switchMap(() => read().pipe(catchError(() => EMPTY)))),
          this.#noticesOf(id),
        ),
      });
    });
  }

  /** Every answer about a job that comes while others look at it, and every notice. */
  heard(id: string): Observable<JobSnapshot> {
    return this.#using(id, (job) => merge(job.heard$, this.#noticesOf(id)));
  }

  /** Gives a job's stream to one reader, from where the last one left it, or a reference says. */
  stream<T>(
    id: string,
    { chunks = 0, gap = false }: Partial<JobRef>,
    inUse: () => RunpodError,
    read: (cursor: StreamCursor) => Observable<T>,
  ): Observable<T> {
    return this.#using(id, (job) => {
      if (job.streaming) return throwError(inUse);
      job.streaming = true;
      return read((job.cursor ??= { ...streamCursor(), count: chunks, ...(gap && { gap: 'possibly' }) })).pipe(
        tap({
          complete: () => {
            job.streaming = false;
            delete job.cursor;
          },
          error: (error: unknown) => {
            job.streaming = false;
            // The stream of a job that ended is over; after any other error it goes on from here.
            if ((error as { snapshot?: unknown } | undefined)?.snapshot) delete job.cursor;
          },
          unsubscribe: () => {
            job.streaming = false;
          },
        }),
      );
    });
  }

  /** Has a watched job read anew, because something was done to it. */
  refresh(id: string): void {
    this.#jobs.get(id)?.stale$.next();
  }

  #noticesOf(id: string): Observable<JobSnapshot> {
    return this.#notices$.pipe(filter((notice) => notice.id === id));
  }

  #job(id: string): JobRecord {
    let job = this.#jobs.get(id);
    if (!job) {
      this.#jobs.set(id, (job = { heard$: new Subject(), stale$: new Subject(), users: 0 }));
      // The oldest goes, or to the end of the queue where someone looks at it.
      for (const [oldest, record] of this.#jobs.size > KEPT ? this.#jobs : []) {
        this.#jobs.delete(oldest);
        if (record.users) this.#jobs.set(oldest, record);
        break;
      }
    }
    return job;
  }

  #using<T>(id: string, use: (job: JobRecord) => Observable<T>): Observable<T> {
    return defer(() => {
      const job = this.#job(id);
      job.users++;
      return use(job).pipe(
        finalize(() => {
          if (--job.users) return;
          delete job.last;
          if (!job.known && !job.cursor) this.#jobs.delete(id);
        }),
      );
    });
  }
}

function reading(job: JobRecord, fetch: Fetch): Observable<JobSnapshot> {
  return defer(() => {
    if (job.reading$) return job.reading$;
    const shared$: Observable<JobSnapshot> = job.stale$.pipe(
      startWith(undefined),
      // One that is being given out is as new as can be.
      switchMap(() => (job.reading$ === shared$ ? fetch() : EMPTY)),
      take(1),
      // Whoever asks while the answer is being given out asks anew.
      tap({
        next: (snapshot) => {
          delete job.reading$;
          job.last = snapshot;
          job.heard$.next(snapshot);
        },
        error: () => {
          delete job.reading$;
        },
      }),
      finalize(() => {
        if (job.reading$ === shared$) delete job.reading$;
      }),
      share(),
    );
    job.reading$ = shared$;
    return shared$;
  });
}
