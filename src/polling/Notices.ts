import { Observable, Subscription, type SchedulerLike } from 'rxjs';
import { isRecord } from '../protocol/json.js';
import { streamReplyOf } from '../protocol/streamReply.js';
import { vouchedBy, type Follows } from '../protocol/vouchedNotice.js';
import { isKeptReply } from '../sources/keptStream.js';
import type { VouchedJob } from './EarlyEnds.js';
import { FollowedJobs, type Followed } from './FollowedJobs.js';
import { PushedStreams } from './PushedStreams.js';

/** What {@link Notices} does with what it is told. */
export interface NoticeHost {
  /** Takes a job object for an answer of the service, where it says that the job is over. Returns whether it does. */
  takeEnd(id: string, job: VouchedJob): boolean;
  /** The same, where it says that the job is not over yet. */
  takeState(id: string, job: VouchedJob): boolean;
  /** Has a job read soon. */
  hint(id: string): void;
  /** The source does not follow a job any more. */
  unfollowed(id: string, before: Followed): void;
}

/** Listens to the notices while jobs are in use, and keeps what their source follows. */
export class Notices {
  readonly followedJobs = new FollowedJobs();
  readonly pushedStreams: PushedStreams;
  readonly #source: Observable<unknown>;
  readonly #host: NoticeHost;
  #subscription = Subscription.EMPTY;

  constructor(source: Observable<unknown>, host: NoticeHost, scheduler: SchedulerLike) {
    this.pushedStreams = new PushedStreams(scheduler);
    this.#source = source;
    this.#host = host;
  }

  /** Where the source fails, reading goes on without it. */
  listen(): void {
    if (!this.#subscription.closed) return;
    this.#subscription = new Subscription();
    // An Observable of another library may throw on `subscribe`. This one makes an error of that.
    const notices$ = new Observable((subscriber) => this.#source.subscribe(subscriber));
    const unfollowAll = () => {
      this.#unfollowAll();
    };
    this.#subscription.add(
      notices$.subscribe({
        next: (notice) => {
          this.#take(notice);
        },
        error: unfollowAll,
        complete: unfollowAll,
      }),
    );
  }

  stop(): void {
    this.#subscription.unsubscribe();
    this.followedJobs.takeAll();
    this.pushedStreams.stop();
  }

  /** Takes what its source vouches for. Anybody may have sent what is not vouched for: nothing of it counts but the id. */
  #take(notice: unknown): void {
    const vouched = vouchedBy(notice);
    const { job: vouchedJob, webhook, follows, stream, keepsStreams } = vouched ?? {};
    if (keepsStreams !== undefined) this.pushedStreams.announce(keepsStreams);
    if (follows === 'nothing' && vouchedJob === undefined) this.#unfollowAll();
    const body = vouchedJob ?? notice;
    if (!isRecord(body) || typeof body.id !== 'string') return;
    const { id } = body;
    if (stream !== undefined) {
      this.#takeStream(id, stream);
      return;
    }
    const job: VouchedJob = { body, webhook };
    if (follows) this.#follow(id, follows);
    if (vouchedJob === undefined) this.#host.hint(id);
    else if (this.#host.takeEnd(id, job)) this.followedJobs.take(id);
    else if (follows === 'nothing' || !this.#host.takeState(id, job)) this.#host.hint(id);
  }

  #takeStream(id: string, stream: unknown): void {
    const parsed = isRecord(stream) ? streamReplyOf(stream, id) : undefined;
    const reply = parsed && 'value' in parsed ? parsed.value : undefined;
    this.pushedStreams.push(id, reply && isKeptReply(reply) ? reply : undefined);
  }

  #follow(id: string, follows: Follows): void {
    if (follows === 'nothing') this.followedJobs.take(id);
    else this.followedJobs.set(id, follows);
  }

  #unfollowAll(): void {
    this.pushedStreams.stop();
    for (const [id, before] of this.followedJobs.takeAll()) this.#host.unfollowed(id, before);
  }
}
