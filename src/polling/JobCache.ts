import { EMPTY, Observable, type SchedulerLike, type Subscriber } from 'rxjs';
import type { RunpodError } from '../errors/RunpodError.js';
import { isTerminal, snapshotOf } from '../protocol/snapshot.js';
import { pendingCount, type StreamCursor, type ReaderPosition } from '../sources/StreamCursor.js';
import type { JobSnapshot, TerminalSnapshot } from '../types/JobSnapshot.js';
import { timeOfDate } from '../time/clocks.js';
import { EarlyEnds, type VouchedJob } from './EarlyEnds.js';
import { HeldReads } from './HeldReads.js';
import type { JobCacheOptions, SubmissionMarks } from './JobCacheOptions.js';
import { KnownJob } from './KnownJob.js';
import { Notices, type NoticeHost } from './Notices.js';
import type { PushedStream } from './PushedStream.js';
import type { PushedStreams } from './PushedStreams.js';
import { readAlone } from './readAlone.js';
import type { ReadSource, ReadRequest } from './SharedRead.js';
import { StatusPoller } from './StatusPoller.js';
import type { ReadTerms, SnapshotObserver, WatchRequest } from './WatchRequest.js';

/** How many jobs are kept: the newest, and those in use. */
const MAX_KNOWN_JOBS = 4096;

/**
 * How long after the service has said that a job is over it may still answer otherwise, in milliseconds: as long as it may
 * not know a job that was just submitted. Asked later, such an answer tells that somebody else has run the job again.
 */
const OUTDATED_ANSWERS = 10_000;

/**
 * The jobs of an endpoint that a client knows, and the way to everything that is shared by job id. One read is
 * in flight for each job, and every watcher of the job gets the answer, while its pace, timeout and errors stay its own.
 * A job's stream has one reader at a time; the next reader goes on where the last one stopped.
 */
export class JobCache {
  readonly #jobs = new Map<string, KnownJob>();
  readonly #readSource: ReadSource;
  readonly #poller: StatusPoller;
  readonly #notices: Notices;
  readonly #scheduler: SchedulerLike;
  readonly #wallNow: () => number;
  readonly #earlyEnds: EarlyEnds;
  readonly #onEnd: (snapshot: TerminalSnapshot) => void;
  /** The users of all jobs; notices are subscribed to while there are some. */
  #users = 0;

  constructor(options: JobCacheOptions) {
    const { scheduler, wallNow, policy, call, context, rateLimiterFor, connections, notices = EMPTY } = options;
    this.#onEnd = options.onEnd;
    const rateLimiter = rateLimiterFor('status');
    const heldReads = new HeldReads({ scheduler, rateLimiter: rateLimiterFor('status-sync'), connections, call });
    const release = (job: KnownJob) => {
      this.#release(job);
    };
    this.#readSource = { call, heldReads };
    const noticeHost: NoticeHost = {
      takeEnd: (id, job) => this.#takeEnd(id, job),
      takeState: (id, job) => this.#takeState(id, job),
      hint: (id) => {
        this.hint(id);
      },
      unfollowed: (id, before) => this.#jobs.get(id)?.unfollowed(before),
    };
    this.#notices = new Notices(notices, noticeHost, scheduler);
    const { followedJobs } = this.#notices;
    this.#poller = new StatusPoller({ scheduler, policy, context, rateLimiter, heldReads, release, followedJobs });
    this.#scheduler = scheduler;
    this.#wallNow = wallNow;
    this.#earlyEnds = new EarlyEnds(scheduler);
  }

  /** What is known of a job. */
  get(
    id: string | undefined,
  ): Readonly<Pick<KnownJob, 'known' | 'over' | 'submittedAt' | 'submissionDate' | 'last' | 'origin'>> | undefined {
    return this.#jobs.get(id ?? '');
  }

  /**
   * When a job was submitted, on the scheduler's clock: what this client knows, or else what a date says.
   *
   * @param date - from a reference, in milliseconds since 1970, by a clock that need not agree with this machine's. A date
   *   in the future counts as now
   */
  submittedAt(id: string, date: number | undefined): number | undefined {
    const known = this.#jobs.get(id)?.submittedAt;
    if (known !== undefined || date === undefined) return known;
    return timeOfDate(date, this.#scheduler, this.#wallNow);
  }

  /** Takes over when a job was submitted, from a reference to it, unless that is known. */
  restoreSubmission(id: string, date: number | undefined): void {
    if (date === undefined) return;
    const job = this.#job(id);
    job.submittedAt = this.submittedAt(id, date);
    job.submissionDate ??= date;
  }

  /** The streams that are being read, and what the source of the notices says of them. */
  get pushedStreams(): PushedStreams {
    return this.#notices.pushedStreams;
  }

  /** Whether chunks of a job's stream may be missing after those that were delivered. */
  hasGap(id: string): boolean {
    const { cursor } = this.#jobs.get(id) ?? {};
    // What a server keeps it gives again.
    return !!cursor && (!!cursor.gap || (pendingCount(cursor) > 0 && !this.pushedStreams.isKept));
  }

  /** Notes that a job exists, and whether it is over. */
  markKnown(id: string, over: boolean): void {
    const job = this.#job(id);
    job.known = true;
    if (over) job.overAt = this.#scheduler.now();
  }

  /**
   * Notes that the service has answered that a job waits or runs. A job that was over is run again then, unless the answer is
   * outdated.
   *
   * @param askedAt - when it was asked, on the scheduler's clock
   */
  markUnfinished(id: string, askedAt: number): void {
    const job = this.#job(id);
    if (job.overAt === undefined || askedAt <= job.overAt + OUTDATED_ANSWERS) return;
    this.markPerhapsRetried(id);
    job.isEndTold = false;
    // The chunks of the run before say nothing about the new stream.
    job.chunksDelivered = job.cursor?.count ?? 0;
  }

  /** Whether the end of a job's run is news to those who listen to the client's activity. */
  isEndNews(id: string): boolean {
    const job = this.#job(id);
    const isNews = !job.isEndTold;
    job.isEndTold = true;
    return isNews;
  }

  /** Notes that a job was submitted just now, for the first time or again, and whether it is over already. */
  markSubmitted(id: string, over: boolean, { again = false, webhook, origin }: SubmissionMarks = {}): void {
    const job = this.#job(id);
    job.retried ||= again;
    job.webhook ??= webhook;
    job.origin = origin ?? job.origin;
    job.known = true;
    job.overAt = over ? this.#scheduler.now() : undefined;
    job.isEndTold = false;
    job.submittedAt = this.#scheduler.now();
    job.submissionDate = this.#wallNow();
    // A new run has a new stream.
    job.cursor = undefined;
    job.chunksDelivered = 0;
  }

  /** Notes that a job may run again: the answer to its `/retry` was lost. What was known of its end is out of date. */
  markPerhapsRetried(id: string): void {
    const job = this.#job(id);
    job.retried = true;
    job.overAt = undefined;
  }

  /** Reads a job once: emits the answer of the read in flight, or of a new one. */
  read(id: string, terms: ReadTerms): Observable<JobSnapshot> {
    return this.#use(id, (job, subscriber) => {
      job.origin ??= terms.meta?.origin;
      const request: ReadRequest = {
        terms,
        answer: (snapshot) => {
          subscriber.next(snapshot);
          subscriber.complete();
        },
        error: (error) => {
          subscriber.error(error);
        },
      };
      subscriber.add(() => {
        job.leaveRead(request);
      });
      job.read(request);
    });
  }

  /**
   * Has the poller read a job until it is over.
   *
   * @param seen - the last known snapshot; the job is read at once where there is none
   */
  watch(id: string, request: WatchRequest, observer: SnapshotObserver, seen?: JobSnapshot): void {
    const job = this.#acquire(id);
    job.origin ??= request.meta?.origin;
    const watcher = this.#poller.add(job, request, observer, seen);
    // What was told already comes first: it may save the read.
    this.#listen();
    const end = this.#earlyEnds.take(id, job.webhook);
    if (end && !this.#takeEnd(id, end, true)) job.hint();
    if (!seen) this.#poller.readNow(watcher);
  }

  /** Emits every snapshot of a job that others read. */
  snapshotsOf(id: string): Observable<JobSnapshot> {
    return this.#use(id, (job, subscriber) => {
      job.addListener(subscriber);
      subscriber.add(() => {
        job.removeListener(subscriber);
      });
    });
  }

  /**
   * Reads a job's stream, as its only reader.
   *
   * @param position - how far this reader has come, and kept up to date. A reader without a position goes on where the
   *   last one stopped. For a reader that is behind, the chunks between are a gap: the service gives each chunk once
   * @param inUse - makes the error for a second reader
   */
  stream<T>(
    id: string,
    position: ReaderPosition,
    inUse: () => RunpodError,
    read: (cursor: StreamCursor, pushed: PushedStream) => Observable<T>,
  ): Observable<T> {
    return this.#use(id, (job, subscriber) => {
      // Before the first read: the source of the notices may say that the server keeps streams.
      this.#listen();
      readAlone(job, { position, inUse, read, streams: this.pushedStreams }).subscribe(subscriber);
    });
  }

  /** Has the watchers of a job read it anew, because a request changed it. */
  refresh(id: string): void {
    this.#jobs.get(id)?.refresh();
  }

  /** Has the watchers of a job read it soon, since something may have changed. */
  hint(id: string): void {
    this.#jobs.get(id)?.hint();
  }

  #job(id: string): KnownJob {
    const known = this.#jobs.get(id);
    if (known) return known;
    const job = new KnownJob(id, this.#readSource);
    this.#jobs.set(id, job);
    if (this.#jobs.size > MAX_KNOWN_JOBS) this.#dropOldest();
    return job;
  }

  /** Forgets the oldest job, or makes it the newest where it is in use. */
  #dropOldest(): void {
    const [oldest] = this.#jobs.values();
    if (!oldest) return;
    this.#jobs.delete(oldest.id);
    if (oldest.users) this.#jobs.set(oldest.id, oldest);
  }

  #acquire(id: string): KnownJob {
    const job = this.#job(id);
    job.users++;
    this.#users++;
    return job;
  }

  #release(job: KnownJob): void {
    this.#users--;
    if (!this.#users) this.#notices.stop();
    job.users--;
    if (job.users) return;
    job.last = undefined;
    if (!job.known && !job.cursor) this.#jobs.delete(job.id);
  }

  /** An Observable whose subscriber uses a job. */
  #use<T>(id: string, use: (job: KnownJob, subscriber: Subscriber<T>) => void): Observable<T> {
    return new Observable((subscriber) => {
      const job = this.#acquire(id);
      subscriber.add(() => {
        this.#release(job);
      });
      use(job, subscriber);
      this.#listen();
    });
  }

  /**
   * Takes a job object that is vouched for as an answer of the service, where it says that the job is over. Returns whether
   * it does. What comes before anybody uses the job is kept for who does soon.
   *
   * @param wasKept - whether it was kept, rather than told just now
   */
  #takeEnd(id: string, end: VouchedJob, wasKept = false): boolean {
    const parsed = snapshotOf(end.body, { id });
    if (!('value' in parsed) || !isTerminal(parsed.value)) return false;
    const job = this.#jobs.get(id);
    const isNews = !job?.over;
    if (!job?.users && isNews) this.#earlyEnds.keep(id, end);
    const isOfThisJob = end.webhook === undefined || end.webhook === job?.webhook;
    if (!job || job.retried || !isOfThisJob) return false;
    this.#poller.endNoticed(id, isNews);
    // The end of a job that was over may be told a second time, while others have run the job again.
    if (!isNews && !wasKept) return false;
    job.known = true;
    job.overAt = this.#scheduler.now();
    if (this.isEndNews(id)) this.#onEnd(parsed.value);
    if (job.users) job.receive(parsed.value, true);
    return true;
  }

  /** Takes a job object for an answer of the service, where it says that the job is not over yet. Returns whether it does. */
  #takeState(id: string, { body, webhook }: VouchedJob): boolean {
    const parsed = snapshotOf(body, { id });
    const job = this.#jobs.get(id);
    const isOfThisJob = webhook === undefined || webhook === job?.webhook;
    if (!job || job.retried || !isOfThisJob || !('value' in parsed) || parsed.value.status === 'UNKNOWN') return false;
    // What came late tells of nothing that a read would still find.
    if (!job.over && job.users) job.receive(parsed.value, true);
    return true;
  }

  /** Listens to the notices while jobs are in use. */
  #listen(): void {
    if (this.#users) this.#notices.listen();
  }
}
