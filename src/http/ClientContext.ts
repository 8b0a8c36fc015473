import { AsyncSubject, Observable, Subject } from 'rxjs';
import { ClientClosedError } from '../errors/ClientClosedError.js';
import { reportUnhandled } from '../errors/reportUnhandled.js';
import type { ErrorContext } from '../errors/RunpodError.js';
import { operationName } from '../protocol/operations.js';
import type { Activity, ActivityBase, CallOrigin, RequestActivity } from '../types/Activity.js';
import type { AroundSend } from '../types/AroundSend.js';
import type { CallRequest } from '../types/Link.js';
import { BudgetPart } from './BudgetPart.js';
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

/** What an activity is about. */
type ActivityNames = Pick<CallRequest, 'endpointId' | 'operation' | 'jobId' | 'tag'>;

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
  /** The calls of methods, at the call. */
  readonly calls$ = new Subject<CallOrigin>();
  /** What runs around each request that is sent, the first outermost. */
  readonly arounds = new Set<AroundSend>();
  /** What is told when the client is closed. A set, because a pipeline adds and removes thousands. */
  readonly closeables = new Set<Closeable>();
  closed = false;
  /** Emits when the client is closed, before its calls are told. */
  readonly closed$ = new AsyncSubject<void>();
  /** Limits the reads that the service holds; `undefined` where they are in no other request's way. */
  readonly heldConnections: RateLimiter | undefined;
  #calls = 0;
  /** The call on whose behalf methods are called now. */
  #caller: CallOrigin | undefined;
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
    origin,
  }: Partial<Pick<CallState, 'lagUntil' | 'urgent' | 'once' | 'webhook' | 'beforeSend' | 'origin'>> = {}): CallState {
    return {
      id: ++this.#calls,
      origin,
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

  /** Tells of a call of a method, in the context of who calls. */
  called(call: CallOrigin): CallOrigin {
    const origin = this.#caller ? { ...call, caller: this.#caller } : call;
    this.calls$.next(origin);
    return origin;
  }

  /** Calls a function on behalf of an earlier call. */
  onBehalfOf<T>(caller: CallOrigin, call: () => T): T {
    const before = this.#caller;
    this.#caller = caller;
    try {
      return call();
    } finally {
      this.#caller = before;
    }
  }

  /** Sends a request, within what is to run around it. Whatever that does, the request is sent once. */
  sendAround(
    request: CallRequest,
    state: CallState,
    own: Pick<RequestActivity, 'method' | 'path'>,
    send: () => void,
  ): void {
    const { attempt } = state;
    const activity = this.#activityOf(request, state, { type: 'request', ...own, attempt }) as RequestActivity;
    const sendAll = [...this.arounds].reduceRight<() => void>((inner, around) => {
      const sendOnce = once(inner);
      return () => {
        try {
          around(activity, sendOnce);
        } catch (error) {
          reportUnhandled(error);
        }
        sendOnce();
      };
    }, once(send));
    sendAll();
  }

  /** Emits an activity of a call, where anybody listens. */
  report(names: ActivityNames, state: Pick<CallState, 'id' | 'origin'>, activity: OwnActivity): void {
    if (this.activity$.observed) this.activity$.next(this.#activityOf(names, state, activity));
  }

  #activityOf(
    { endpointId, operation, jobId, tag }: ActivityNames,
    { id: call, origin }: Pick<CallState, 'id' | 'origin'>,
    activity: OwnActivity,
  ): Activity {
    const at = this.settings.wallNow();
    return { at, endpointId, operation, jobId, tag, call, ...(origin && { origin }), ...activity } as Activity;
  }

  /** Remembers how many workers of an endpoint run: each adds to what the service allows. */
  noteRunningWorkers(endpointId: string, count: number): void {
    this.#runningWorkers.set(endpointId, { count: Number.isFinite(count) ? count : 0, at: this.now() });
  }

  /** The limiter of an operation of an endpoint; `undefined` where the operation has no limits. */
  rateLimiterFor(endpointId: string, operation: string): RateLimiter | undefined {
    const { limits, scheduler, budget } = this.settings;
    const name = operationName(operation);
    const bound = limits[name];
    if (!bound) return undefined;
    const key = `${endpointId}/${name}`;
    let limiter = this.#limiters.get(key);
    if (!limiter) {
      limiter = new RateLimiter(
        bound,
        scheduler,
        () => this.#workersOf(endpointId),
        budget && ((use) => new BudgetPart(budget, endpointId, name, scheduler, use)),
      );
      this.#limiters.set(key, limiter);
    }
    return limiter;
  }

  #workersOf(endpointId: string): number {
    const last = this.#runningWorkers.get(endpointId);
    return last && this.now() <= last.at + WORKER_COUNT_MAX_AGE ? last.count : 0;
  }
}

function once(act: () => void): () => void {
  let isDone = false;
  return () => {
    if (isDone) return;
    isDone = true;
    act();
  };
}

/** The error for a call of a client that is closed. */
export function closedError(context: ErrorContext): ClientClosedError {
  return new ClientClosedError(context);
}
