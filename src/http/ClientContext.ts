import { AsyncSubject, Observable, Subject } from 'rxjs';
import { ClientClosedError } from '../errors/ClientClosedError.js';
import type { ErrorContext } from '../errors/RunpodError.js';
import { operationName } from '../protocol/operations.js';
import type { Activity, ActivityBase } from '../types/Activity.js';
import type { CallRequest } from '../types/Link.js';
import type { CallState } from './CallState.js';
import type { ClientSettings } from './ClientSettings.js';
import { PendingCancels } from './PendingCancels.js';
import { RateLimiter } from './RateLimiter.js';

/** How long a count of running workers is believed, in milliseconds. */
const WORKER_COUNT_MAX_AGE = 60_000;

/**
 * How many requests of a client the service may hold at once over connections that may be few: a browser opens six to a
 * server over HTTP/1.1.
 */
const HELD_CONNECTIONS = 2;

/** An activity without what all activities have in common. */
type OwnActivity<T = Activity> = T extends Activity ? Omit<T, keyof ActivityBase> : never;

/** Something that goes on until the client is closed. */
export interface Closeable {
  /** @param makeError - makes the error from where it happened */
  close(makeError: (context: ErrorContext) => Error): void;
}

/** What all endpoints of a client share: settings, activity, rate limiters, and the jobs that are still to be cancelled. */
export class ClientContext {
  readonly settings: ClientSettings;
  readonly pendingCancels = new PendingCancels();
  readonly activity$ = new Subject<Activity>();
  /** What is told when the client is closed. A set, because a pipeline adds and removes thousands. */
  readonly closeables = new Set<Closeable>();
  closed = false;
  /** Emits when the client is closed, before its calls are told. */
  readonly closed$ = new AsyncSubject<void>();
  /** Limits the reads that the service holds; `undefined` where they are in no other request's way. */
  readonly heldConnections: RateLimiter | undefined;
  #calls = 0;
  readonly #limiters = new Map<string, RateLimiter>();
  /** By endpoint: how many workers ran, and when that was said. */
  readonly #runningWorkers = new Map<string, { readonly count: number; readonly at: number }>();

  constructor(settings: ClientSettings) {
    this.settings = settings;
    const { scheduler, transport } = settings;
    if (!transport.multiplexes)
      this.heldConnections = new RateLimiter({ concurrent: HELD_CONNECTIONS }, scheduler, () => 0);
  }

  /** The time by which durations are measured. */
  now(): number {
    return this.settings.scheduler.now();
  }

  newCallState({
    lagUntil = 0,
    urgent = false,
    once = false,
    webhook,
    beforeSend,
  }: Partial<Pick<CallState, 'lagUntil' | 'urgent' | 'once' | 'webhook' | 'beforeSend'>> = {}): CallState {
    return {
      id: ++this.#calls,
      attempt: 0,
      maybeReceived: false,
      sentAt: undefined,
      onTurn: undefined,
      abandoned: false,
      secrets: [...this.settings.base.secrets],
      lagUntil,
      urgent,
      once,
      webhook,
      beforeSend,
    };
  }

  /** Errors what a source emits when the client is closed. */
  whileOpen<T>(source: Observable<T>, context: () => ErrorContext): Observable<T> {
    return new Observable((subscriber) => {
      const closeable: Closeable = {
        close: (makeError) => {
          subscriber.error(makeError(context()));
        },
      };
      this.closeables.add(closeable);
      subscriber.add(() => this.closeables.delete(closeable));
      source.subscribe(subscriber);
    });
  }

  close(): void {
    this.closed = true;
    this.closed$.next();
    this.closed$.complete();
    for (const closeable of [...this.closeables]) closeable.close(closedError);
  }

  /** Emits an activity of a call, where anybody listens. */
  report(
    { endpointId, operation, jobId, tag }: Pick<CallRequest, 'endpointId' | 'operation' | 'jobId' | 'tag'>,
    { id: call }: Pick<CallState, 'id'>,
    activity: OwnActivity,
  ): void {
    if (!this.activity$.observed) return;
    this.activity$.next({
      at: this.settings.wallNow(),
      endpointId,
      operation,
      jobId,
      tag,
      call,
      ...activity,
    } as Activity);
  }

  /** Remembers how many workers of an endpoint run: each adds to what the service allows. */
  noteRunningWorkers(endpointId: string, count: number): void {
    this.#runningWorkers.set(endpointId, { count: Number.isFinite(count) ? count : 0, at: this.now() });
  }

  /** The limiter of an operation of an endpoint; `undefined` where the operation has no limits. */
  rateLimiterFor(endpointId: string, operation: string): RateLimiter | undefined {
    const { limits, scheduler } = this.settings;
    const name = operationName(operation);
    const bound = limits[name];
    if (!bound) return undefined;
    const key = `${endpointId}/${name}`;
    let limiter = this.#limiters.get(key);
    if (!limiter) {
      limiter = new RateLimiter(bound, scheduler, () => this.#workersOf(endpointId));
      this.#limiters.set(key, limiter);
    }
    return limiter;
  }

  #workersOf(endpointId: string): number {
    const last = this.#runningWorkers.get(endpointId);
    return last && this.now() <= last.at + WORKER_COUNT_MAX_AGE ? last.count : 0;
  }
}

/** The error for a call of a client that is closed. */
export function closedError(context: ErrorContext): ClientClosedError {
  return new ClientClosedError(context);
}
