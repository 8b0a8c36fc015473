import { Observable, Subject, Subscription, concat, from, interval, map, merge, of, takeUntil } from 'rxjs';
import type { SchedulerLike } from 'rxjs';
import { isTerminal, type JobSnapshot } from '../../index.js';
import { EventLog, KEEP_EVENTS } from './EventLog.js';
import { FollowedJob, type FollowedEndpoint } from './FollowedJob.js';
import { HEARTBEAT, formatEvent } from './formatEvent.js';
import { StreamPushes } from './StreamPushes.js';

/** How many connections a user may have: the oldest is ended for one more, and its page is told to come back later. */
const MAX_CONNECTIONS = 20;
const COME_BACK = formatEvent('bye', '{"retryAfter":60000}');

/** How many jobs of a user are followed. Pages read the others as they would without events. */
const MAX_JOBS = 100;

/**
 * How many characters a page gets at once when it connects, of what it missed and of states. Each may be three bytes, and more
 * than what may wait for a page would break its connection.
 */
const MAX_FIRST = 1_000_000;

const HEARTBEAT_EVERY = 15_000;

/**
 * How long the answer to a submission answers a read as well, in milliseconds: a page reads its job at once, while it connects,
 * and again half a second later.
 */
const JUST_SUBMITTED = 400;

/** A job that was submitted while no page of its user was connected: the page connects once it has the answer. */
interface RecentJob {
  readonly source: FollowedEndpoint;
  readonly snapshot: JobSnapshot;
  readonly at: number;
}

/** The events of one user: what his pages missed, his connections, and the jobs that are followed for them. */
export class UserEvents {
  readonly streams = new StreamPushes((text) => {
    this.#live$.next(text);
  });
  readonly #scheduler: SchedulerLike;
  readonly #log: EventLog;
  readonly #forget: () => void;
  readonly #live$ = new Subject<string>();
  /** The oldest first. Each is ended by its Subject. */
  readonly #connections = new Set<Subject<void>>();
  readonly #jobs = new Map<string, FollowedJob>();
  readonly #recent = new Map<string, RecentJob>();
  #isFollowing = false;
  #isStopped = false;
  #expiry = Subscription.EMPTY;

  /** @param forget - called when the user's last page has been gone for so long that nothing is kept for it */
  constructor(scheduler: SchedulerLike, forget: () => void) {
    this.#scheduler = scheduler;
    this.#log = new EventLog(scheduler);
    this.#forget = forget;
    this.#expireLater();
  }

  /**
   * The events as a page gets them: what it missed, the state of each followed job, and what happens from now on.
   *
   * @param position - of the last event that the page has
   */
  connect(position: string | undefined): Observable<string> {
    return new Observable((subscriber) => {
      const end$ = new Subject<void>();
      const [oldest] = this.#connections;
      if (this.#connections.size >= MAX_CONNECTIONS) oldest?.next();
      this.#connections.add(end$);
      this.#expiry.unsubscribe();
      subscriber.add(() => {
        this.#connections.delete(end$);
        if (this.#connections.size) return;
        this.streams.disconnected();
        this.#expireLater();
      });
      this.#followRecent();
      const heartbeat$ = interval(HEARTBEAT_EVERY, this.#scheduler).pipe(map(() => HEARTBEAT));
      const event$ = merge(from(this.#firstTexts(position)), this.#live$, heartbeat$);
      subscriber.add(concat(event$.pipe(takeUntil(end$)), of(COME_BACK)).subscribe(subscriber));
      this.streams.connected();
    });
  }

  /** A job was submitted, for the first time or again. */
  submitted(key: string, source: FollowedEndpoint, snapshot: JobSnapshot): void {
    if (this.#isFollowing) this.#follow(key, source, snapshot);
    else {
      this.#recent.set(key, { source, snapshot, at: this.#scheduler.now() });
      const [oldest = ''] = this.#recent.keys();
      if (this.#recent.size > MAX_JOBS) this.#recent.delete(oldest);
      this.#expireLater();
    }
  }

  /** A page asks for the state of a job. Returns the state where nothing newer need be asked for. */
  asked(key: string): JobSnapshot | undefined {
    const now = this.#scheduler.now();
    if (this.#connections.size) this.#jobs.get(key)?.readAt(now);
    const recent = this.#recent.get(key);
    // A request that changes the job has what is known of it forgotten.
    return recent && now - recent.at < JUST_SUBMITTED ? recent.source.reads.known(recent.snapshot.id) : undefined;
  }

  /** A page got the state of a job. One that is not followed yet is from then on. */
  answered(key: string, source: FollowedEndpoint, snapshot: JobSnapshot): void {
    if (!this.#connections.size || this.#jobs.has(key)) return;
    this.#follow(key, source, snapshot);
    this.asked(key);
  }

  /** Follows no job any more, for good. */
  stop(): void {
    this.#isStopped = true;
    this.#expiry.unsubscribe();
    for (const job of this.#jobs.values()) job.stop();
    this.#jobs.clear();
    this.streams.stop();
  }

  #follow(key: string, source: FollowedEndpoint, snapshot: JobSnapshot): void {
    this.#jobs.get(key)?.stop();
    this.#jobs.delete(key);
    if (this.#isStopped || isTerminal(snapshot) || this.#jobs.size >= MAX_JOBS) return;
    const job = new FollowedJob(source, snapshot, {
      tell: (data) => {
        this.#live$.next(this.#log.add('job', data));
      },
      ended: (ended) => {
        if (this.#jobs.get(key) === ended) this.#jobs.delete(key);
      },
    });
    this.#jobs.set(key, job);
    job.start();
  }

  #followRecent(): void {
    this.#isFollowing = true;
    const recent = [...this.#recent];
    this.#recent.clear();
    for (const [key, { source, snapshot }] of recent)
      this.#follow(key, source, source.reads.known(snapshot.id) ?? snapshot);
  }

  #firstTexts(position: string | undefined): readonly string[] {
    const missed = position === undefined ? [] : this.#log.after(position);
    const hello = formatEvent('hello', '{}', missed && position !== undefined ? position : this.#log.position);
    const texts = [hello, ...(missed ?? [formatEvent('reset', '{}')])];
    let size = texts.join('').length;
    for (const { state } of this.#jobs.values()) {
      size += state.length;
      if (size < MAX_FIRST) texts.push(formatEvent('job', state));
    }
    return texts;
  }

  #expireLater(): void {
    if (this.#connections.size || this.#isStopped) return;
    this.#expiry.unsubscribe();
    this.#expiry = this.#scheduler.schedule(() => {
      this.stop();
      this.#forget();
    }, KEEP_EVENTS);
  }
}
