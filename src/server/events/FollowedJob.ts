import { Subscription, type Observable } from 'rxjs';
import { isTerminal, type Endpoint, type JobSnapshot } from '../../index.js';
import type { AnswerTexts } from '../proxy/AnswerTexts.js';
import type { JobReads } from '../proxy/JobReads.js';

/** An endpoint whose jobs are followed. */
export interface FollowedEndpoint {
  readonly endpoint: Endpoint;
  readonly reads: Pick<JobReads, 'follow' | 'unfollow' | 'known'>;
  readonly texts: AnswerTexts;
}

/** How many characters of a job an event may have. Pages read a larger one. */
const MAX_JOB_SIZE = 64_000;

/** Plain reads of a page that come as soon after one another show that it wants to see changes, in milliseconds. */
const CLOSE = 20_000;

/** What a {@link FollowedJob} tells. */
export interface FollowedJobHost {
  /** @param data - the data of an event */
  tell(data: string): void;
  /** The job is followed no longer: it is over, or cannot be read. */
  ended(job: FollowedJob): void;
}

/**
 * A job that is read for the pages of its user: to its end, which takes few reads, until a page shows by reading it again
 * and again that it wants to see more. A page that waits reads a followed job each 30 s.
 */
export class FollowedJob {
  readonly #source: FollowedEndpoint;
  readonly #host: FollowedJobHost;
  readonly #id: string;
  #subscription = Subscription.EMPTY;
  #follows: 'end' | 'changes' = 'end';
  #snapshot: JobSnapshot;
  #readAt = -Infinity;

  constructor(source: FollowedEndpoint, snapshot: JobSnapshot, host: FollowedJobHost) {
    this.#source = source;
    this.#host = host;
    this.#id = snapshot.id;
    this.#snapshot = snapshot;
  }

  /** The data of an event with the last known state. */
  get state(): string {
    const text = this.#source.texts.of(this.#snapshot);
    return text.length > MAX_JOB_SIZE ? this.#unfollowed : this.#event(this.#follows, text);
  }

  start(): void {
    const { reads, endpoint } = this.#source;
    reads.follow(this.#snapshot);
    this.#host.tell(this.state);
    this.#follow(endpoint.watchToEnd(this.#snapshot));
  }

  /** A page reads the job once. */
  readAt(now: number): void {
    const isClose = now - this.#readAt < CLOSE;
    this.#readAt = now;
    if (!isClose || this.#follows === 'changes') return;
    this.#follows = 'changes';
    // What is known may be as old as the job: the page's read is answered by that of the watch.
    this.#source.reads.unfollow(this.#id);
    this.#follow(this.#source.endpoint.watch(this.#id));
  }

  stop(): void {
    this.#subscription.unsubscribe();
    this.#source.reads.unfollow(this.#id);
  }

  #follow(snapshot$: Observable<JobSnapshot>): void {
    const former = this.#subscription;
    this.#subscription = new Subscription();
    this.#subscription.add(
      snapshot$.subscribe({
        next: (snapshot) => {
          this.#snapshot = snapshot;
          this.#source.reads.follow(snapshot);
          this.#host.tell(this.state);
        },
        error: () => {
          this.#end();
        },
        complete: () => {
          this.#end();
        },
      }),
    );
    // Not before, so that the job stays in use.
    former.unsubscribe();
  }

  #end(): void {
    this.#source.reads.unfollow(this.#id);
    if (!isTerminal(this.#snapshot)) this.#host.tell(this.#unfollowed);
    this.#host.ended(this);
  }

  get #unfollowed(): string {
    return this.#event('nothing', JSON.stringify({ id: this.#id }));
  }

  #event(follows: string, job: string): string {
    return `{"endpointId":${JSON.stringify(this.#source.endpoint.id)},"follows":"${follows}","job":${job}}`;
  }
}
