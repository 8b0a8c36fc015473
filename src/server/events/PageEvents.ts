import { Subscription, takeUntil, type Observable, type SchedulerLike } from 'rxjs';
import { reportUnhandled } from '../../errors/reportUnhandled.js';
import type { JobSnapshot, Runpod } from '../../index.js';
import type { FollowedEndpoint } from './FollowedJob.js';
import { textStream } from './textStream.js';
import type { AskedStream } from './StreamPushes.js';
import { UserEvents } from './UserEvents.js';

/** How many users have their events kept. The pages of others read their jobs as they would without events. */
const MAX_USERS = 100_000;

/** The headers of events. They must come to the page as they happen: nothing on the way may keep, change or collect them. */
const HEADERS = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-store, no-transform',
  'x-accel-buffering': 'no',
  'x-content-type-options': 'nosniff',
} as const;

/** The events of all users: pages that are connected need not read their jobs, since the server tells them. */
export class PageEvents {
  readonly #scheduler: SchedulerLike;
  readonly #closed$: Observable<unknown>;
  readonly #users = new Map<string, UserEvents>();
  /** Listens for the client's closing while something is kept. */
  #closing = Subscription.EMPTY;

  constructor({ closed$ }: Runpod, scheduler: SchedulerLike) {
    this.#scheduler = scheduler;
    this.#closed$ = closed$;
  }

  /** Answers a page that connects. The answer goes on until the page leaves, or the client is closed. */
  connect(user: string, request: Request): Response {
    const position =
      request.headers.get('last-event-id') ?? new URL(request.url).searchParams.get('lastEventId') ?? undefined;
    const text$ = (this.#users.get(user) ?? this.#add(user)).connect(position);
    return new Response(textStream(text$.pipe(takeUntil(this.#closed$)), request.signal), { headers: HEADERS });
  }

  /** A user submitted a job, for the first time or again. */
  submitted(user: string, source: FollowedEndpoint, snapshot: JobSnapshot): void {
    const events = this.#users.get(user) ?? (this.#users.size < MAX_USERS ? this.#add(user) : undefined);
    events?.submitted(keyOf(source, snapshot.id), source, snapshot);
  }

  /** A page of a user asks for the state of a job. Returns the state where nothing newer need be asked for. */
  asked(user: string, source: FollowedEndpoint, id: string): JobSnapshot | undefined {
    return this.#users.get(user)?.asked(keyOf(source, id));
  }

  /** A page of a user got the state of a job. */
  answered(user: string, source: FollowedEndpoint, snapshot: JobSnapshot): void {
    this.#users.get(user)?.answered(keyOf(source, snapshot.id), source, snapshot);
  }

  /** A page of a user reads a stream, so it is pushed to his pages. */
  streamAsked(user: string, source: FollowedEndpoint, asked: Omit<AskedStream, 'endpointId'>): void {
    const endpointId = source.endpoint.id ?? '';
    this.#users.get(user)?.streams.asked({ ...asked, endpointId });
  }

  #add(user: string): UserEvents {
    const events = new UserEvents(this.#scheduler, () => {
      this.#users.delete(user);
      if (!this.#users.size) this.#closing.unsubscribe();
    });
    this.#users.set(user, events);
    if (this.#closing.closed) {
      const next = () => {
        for (const kept of this.#users.values()) kept.stop();
        this.#users.clear();
      };
      this.#closing = this.#closed$.subscribe({ next, error: reportUnhandled });
    }
    return events;
  }
}

function keyOf({ endpoint }: FollowedEndpoint, id: string): string {
  return `${endpoint.id ?? ''}/${id}`;
}
