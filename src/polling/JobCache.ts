import { EMPTY, Observable, Subscription, tap, type Subscriber } from 'rxjs';
import type { RunpodError } from '../errors/RunpodError.js';
import { isRecord } from '../protocol/json.js';
import { snapshotOf } from '../protocol/snapshot.js';
import { streamCursor, type StreamCursor, type ReaderPosition } from '../sources/StreamCursor.js';
import type { JobSnapshot } from '../types/JobSnapshot.js';
import { KnownJob, type ReadRequest, type ReadJob, type Keeper } from './KnownJob.js';
import type { SnapshotObserver, StatusPoller, WatchRequest } from './StatusPoller.js';

/** How many jobs are remembered, the newest. */
const MAX_KNOWN_JOBS = 4096;

/**
 * The jobs of an endpoint that this client knows.
 *
 * Reading one is shared: at most one request at a time for each job, and everyone who watches it gets the answer. Each
 * watcher keeps its own pace, timeout and errors; whoever wants an answer first makes the request. A stream has one
 * reader, and the next one goes on where the last one left.
 */
export class JobCache implements Keeper {
  readonly #jobs = new Map<string, KnownJob>();
  readonly #board: StatusPoller;
  readonly #notices: Observable<unknown>;
  #users = 0;
  #noticing = Subscription.EMPTY;

  constructor(board: StatusPoller, notices: Observable<unknown> = EMPTY) {
    this.#board = board;
    this.#notices = notices;
  }

  /** What is known of a job. */
  get(id: string | undefined): Readonly<Pick<KnownJob, 'known' | 'over' | 'submittedAt' | 'last'>> | undefined {
    return this.#jobs.get(id ?? '');
  }

  /** Takes a reference's word for when a job was submitted. */
  restoreSubmittedAt(id: string, submittedAt: number | undefined): void {
    if (submittedAt !== undefined) this.#job(id).submittedAt ??= submittedAt;
  }

  /** Whether chunks may be missing behind those of a stream that were delivered. */
  hasGap(id: string): boolean {
    const { cursor } = this.#jobs.get(id) ?? {};
    return !!cursor && (!!cursor.gap || cursor.pending.length > 0);
  }

  /** Notes that a job exists, whether it is over, and when it was submitted, if just now. */
  markKnown(id: string, submittedAt?: number, over = false): void {
    const job = this.#job(id);
    job.known = true;
    if (over) job.over = true;
    if (submittedAt === undefined) return;
    job.over = over;
    job.submittedAt = submittedAt;
    // It runs anew, and so does its stream.
    job.cursor = undefined;
    job.chunksDelivered = 0;
  }

  /** One answer: that of the read in flight, or of a new one. */
  read(id: string, fetch: ReadJob): Observable<JobSnapshot> {
    return this.#using(id, (job, subscriber) => {
      const asker: ReadRequest = {
        fetch,
        answer: (snapshot) => {
          subscriber.next(snapshot);
          subscriber.complete();
        },
        error: (error) => {
          subscriber.error(error);
        },
      };
      subscriber.add(() => {
        job.leave(asker);
      });
      job.ask(asker);
    });
  }

  /**
   * Has the board poll a job until it is over.
   *
   * @param seen - what is known of it: it is not read at once then
   */
  watch(id: string, terms: WatchRequest, sink: SnapshotObserver, seen?: JobSnapshot): void {
    const job = this.#enter(id);
    this.#board.watch(job, terms, sink, seen);
    this.#notice();
  }

  /** Every answer about a job that comes while others look at it, and every notice. */
  snapshotsOf(id: string): Observable<JobSnapshot> {
    return this.#using(id, (job, subscriber) => {
      job.listen(subscriber);
      subscriber.add(() => {
        job.unlisten(subscriber);
      });
    });
  }

  /**
   * Gives a job's stream to one reader.
   *
   * @param place - how far that reader has come by itself, and kept up to date for it; one that knows of none goes on
   *   where the last one left. What others have had since is missing for a reader that has not: it is told once only.
   */
  stream<T>(
    id: string,
    place: ReaderPosition,
    inUse: () => RunpodError,
    read: (cursor: StreamCursor) => Observable<T>,
  ): Observable<T> {
    return this.#using(id, (job, subscriber) => {
      if (job.streaming) {
        subscriber.error(inUse());
        return;
      }
      job.streaming = true;
      const cursor = (job.cursor = cursorAt(place, job));
      const mark = () => {
        place.chunks = cursor.count;
        job.chunksDelivered = Math.max(job.chunksDelivered, cursor.count);
      };
      const stop = (over = false) => {
        job.streaming = false;
        // A chunk that does not match its schema counts, too.
        mark();
        if (over) job.cursor = undefined;
      };
      mark();
      read(cursor)
        .pipe(
          tap({
            next: mark,
            complete: () => {
              stop(true);
            },
            error: (error: unknown) => {
              // The stream of a job that ended is over; after any other error it goes on from here.
              stop(!!(error as { snapshot?: unknown } | undefined)?.snapshot);
            },
            unsubscribe: stop,
          }),
        )
        .subscribe(subscriber);
    });
  }

  /** Has a watched job read anew, because something was done to it. */
  refresh(id: string): void {
    this.#jobs.get(id)?.refresh();
  }

  #job(id: string): KnownJob {
    let job = this.#jobs.get(id);
    if (!job) {
      this.#jobs.set(id, (job = new KnownJob(id, this)));
      // The oldest goes, or to the end of the queue where someone looks at it.
      for (const [oldest, record] of this.#jobs.size > MAX_KNOWN_JOBS ? this.#jobs : []) {
        this.#jobs.delete(oldest);
        if (record.users) this.#jobs.set(oldest, record);
        break;
      }
    }
    return job;
  }

  left(job: KnownJob): void {
    if (!--this.#users) this.#noticing.unsubscribe();
    if (--job.users) return;
    job.last = undefined;
    if (!job.known && !job.cursor) this.#jobs.delete(job.id);
  }

  #enter(id: string): KnownJob {
    const job = this.#job(id);
    job.users++;
    this.#users++;
    return job;
  }

  #using<T>(id: string, use: (job: KnownJob, subscriber: Subscriber<T>) => void): Observable<T> {
    return new Observable((subscriber) => {
      const job = this.#enter(id);
      subscriber.add(() => {
        this.left(job);
      });
      use(job, subscriber);
      this.#notice();
    });
  }

  /** Hears what is said elsewhere, while somebody looks. A channel that breaks is no reason to stop: reading goes on without. */
  #notice(): void {
    if (!this.#users || !this.#noticing.closed) return;
    this.#noticing = new Subscription();
    this.#noticing.add(
      this.#notices.subscribe({
        next: (notice) => {
          const parsed = isRecord(notice) ? snapshotOf(notice) : undefined;
          if (parsed && 'value' in parsed) this.#jobs.get(parsed.value.id)?.hear(parsed.value);
        },
        error: () => undefined,
      }),
    );
  }
}

/** Where a reader is to go on, after those that read before it. */
function cursorAt({ chunks, gap }: ReaderPosition, { cursor: last, chunksDelivered }: KnownJob): StreamCursor {
  if (last?.count === chunksDelivered && (chunks ?? chunksDelivered) === chunksDelivered) return last;
  const count = chunks ?? last?.count ?? 0;
  const cursor = { ...streamCursor(), ...last, count, delivered: last?.delivered.slice(0, count) ?? [] };
  if (chunks !== undefined && count < chunksDelivered) {
    cursor.gap = 'certainly';
    cursor.next = chunksDelivered;
  } else if (gap) cursor.gap ??= 'possibly';
  return cursor;
}
