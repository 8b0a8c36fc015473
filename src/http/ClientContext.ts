import { Observable, Subject, catchError, defer, first, from, of, switchMap, throwError, timeout } from 'rxjs';
import { ConfigurationError } from '../errors/ConfigurationError.js';
import { ConnectionError } from '../errors/ConnectionError.js';
import { RunpodError, type ErrorContext } from '../errors/RunpodError.js';
import { timedOut } from '../errors/timedOut.js';
import { isRefusal, operationName } from '../protocol/operations.js';
import { parseRetryAfter } from '../protocol/parseRetryAfter.js';
import { RateLimiter } from './RateLimiter.js';
import { MAX_RETRY_AFTER, retryCall } from './retryCall.js';
import { redact, type CallState } from './CallState.js';
import type { Activity, ActivityBase } from '../types/Activity.js';
import type { CallRequest, Handler } from '../types/Link.js';
import type { Reply } from '../types/Transport.js';
import { PendingCancels } from './PendingCancels.js';
import type { ClientSettings } from './ClientSettings.js';

/** How long it counts how many workers ran, in milliseconds. */
const FRESH = 60_000;

type Report<T = Activity> = T extends Activity ? Omit<T, keyof ActivityBase> : never;

/** What goes on, and ends when the client is closed. */
export interface Closeable {
  /** @param error - makes the error for where it happened */
  closing(error: (context: ErrorContext) => Error): void;
}

/** What all endpoints of a client share: the way to the wire, the budget, the activity, and the jobs that were left. */
export class ClientContext {
  readonly settings: ClientSettings;
  readonly pendingCancels = new PendingCancels();
  readonly activity$ = new Subject<Activity>();
  closed = false;
  /** Told when the client is closed. A set, since there may be very many: to leave an array, one has to be found in it. */
  readonly closeables = new Set<Closeable>();
  #calls = 0;
  readonly #lanes = new Map<string, RateLimiter>();
  /** How many workers of an endpoint ran when. */
  readonly #workers = new Map<string, readonly [running: number, at: number]>();

  constructor(settings: ClientSettings) {
    this.settings = settings;
  }

  now(): number {
    return this.settings.scheduler.now();
  }

  newCallState(lagUntil = 0, urgent = false): CallState {
    return { id: ++this.#calls, attempt: 0, maybeReceived: false, abandoned: false, keys: [], lagUntil, urgent };
  }

  /** What a source gives until the client is closed, which is an error of it. */
  whileOpen<T>(source: Observable<T>, context: () => ErrorContext): Observable<T> {
    return new Observable((subscriber) => {
      const open: Closeable = {
        closing: (error) => {
          subscriber.error(error(context()));
        },
      };
      this.closeables.add(open);
      subscriber.add(() => this.closeables.delete(open));
      source.subscribe(subscriber);
    });
  }

  close(): void {
    this.closed = true;
    for (const open of [...this.closeables]) open.closing(closedError);
  }

  report(
    { endpointId, operation, jobId, tag }: Pick<CallRequest, 'endpointId' | 'operation' | 'jobId' | 'tag'>,
    { id: call }: Pick<CallState, 'id'>,
    what: Report,
  ): void {
    if (!this.activity$.observed) return;
    this.activity$.next({ at: this.now(), endpointId, operation, jobId, tag, call, ...what } as Activity);
  }

  /** Sends a request through the user's links, repeats, authorization and the budget. */
  send(request: CallRequest, trace: CallState): Observable<Reply> {
    const wire: Handler = (linked) =>
      retryCall(this.#attempt(linked, trace), linked, trace, this.settings, (delay, reason) => {
        this.report(linked, trace, { type: 'repeat', delay, reason, attempt: trace.attempt });
      });
    const { links } = this.settings;
    if (!links.length) return wire(request);
    return links
      .reduceRight<Handler>(
        (next, link) => (linked) => link(linked, next),
        wire,
      )(request)
      .pipe(first());
  }

  /** One attempt, when it is its turn, with the key that is then in force. */
  #attempt(request: CallRequest, trace: CallState): Observable<Reply> {
    const { apiKey } = this.settings;
    const lane = this.#lane(request);
    const send = (key: string | undefined) => {
      const reply$ = this.#exchange(request, trace, lane, key);
      if (!lane) return reply$;
      const waits = (waiting: number) => {
        this.report(request, trace, { type: 'wait', waiting });
      };
      return lane.run(reply$, waits, trace.urgent);
    };
    if (typeof apiKey !== 'function') return send(apiKey);
    return defer(() => {
      const key = apiKey();
      // A string is an ObservableInput too, of its characters.
      return typeof key === 'object' ? key : of(key);
    }).pipe(
      // It may give an Observable that goes on; a call has one key, and is sent once.
      first(null, undefined),
      catchError((cause: unknown) => throwError(() => refused(request, 'the function given as apiKey failed', cause))),
      switchMap(send),
    );
  }

  /** The headers of a request, with the key. */
  #authorize(request: CallRequest, { keys }: CallState, key: string | undefined): CallRequest['headers'] {
    const { keyOptional, keyRefusal } = this.settings;
    if (!key && keyOptional) return request.headers;
    // HTTP libraries do not take every character in a header, and some say so in words that hold it.
    if (!key || /[^\x21-\x7e]/.test(key))
      throw refused(request, 'there is no API key that can be used: give the option apiKey, or set RUNPOD_API_KEY');
    if (keyRefusal) throw refused(request, keyRefusal);
    if (!keys.includes(key)) keys.push(key);
    const headers: Record<string, string> = {};
    for (const [name, value] of Object.entries(request.headers)) {
      // A link may have put one where the key goes.
      if (name.toLowerCase() !== 'authorization') headers[name] = value;
    }
    headers.authorization = `Bearer ${key}`;
    return headers;
  }

  /** Notes how many workers of an endpoint run. */
  noteRunningWorkers(endpointId: string, running: number): void {
    // Whatever the service says.
    this.#workers.set(endpointId, [Number.isFinite(running) ? running : 0, this.now()]);
  }

  #running(endpointId: string): number {
    const [running, at] = this.#workers.get(endpointId) ?? [0, 0];
    return at + FRESH < this.now() ? 0 : running;
  }

  /** What keeps a request within the limits, where it has any. */
  #lane({ endpointId, operation }: Pick<CallRequest, 'endpointId' | 'operation'>): RateLimiter | undefined {
    const { limits, scheduler } = this.settings;
    const name = operationName(operation);
    const place = `${endpointId}/${name}`;
    const bound = limits[name];
    let lane = this.#lanes.get(place);
    if (!lane && bound)
      this.#lanes.set(place, (lane = new RateLimiter(bound, scheduler, () => this.#running(endpointId))));
    return lane;
  }

  /** What keeps an operation's requests within the limits, where it has any. */
  rateLimiterFor(endpointId: string, operation: string): RateLimiter | undefined {
    return this.#lane({ endpointId, operation });
  }

  /** One request and its answer on the wire. */
  #exchange(
    request: CallRequest,
    trace: CallState,
    lane: RateLimiter | undefined,
    key: string | undefined,
  ): Observable<Reply> {
    const { transport, scheduler, base, retry } = this.settings;
    const { maxRetryAfter = MAX_RETRY_AFTER } = retry;
    const { method, url, body, operation, timeout: ms } = request;
    return new Observable((subscriber) => {
      // Who left while a link, or the key, was asked for has nothing sent.
      if (subscriber.closed) return;
      // Of a call that was left nothing is sent any more, even if a link of the user's repeats it.
      if (trace.abandoned) throw refused(request, 'the call was left');
      const headers = this.#authorize(request, trace, key);
      const began = this.now();
      const attempt = ++trace.attempt;
      let over = false;
      const end = (
        sent: boolean,
        what: { type: 'reply'; status: number } | { type: 'failure'; message: string } | { type: 'abort' },
      ) => {
        if (over) return;
        over = true;
        trace.maybeReceived = sent;
        // Each of them has these two besides its own.
        if (this.activity$.observed) this.report(request, trace, { ...what, duration: this.now() - began, attempt });
      };
      trace.maybeReceived = true;
      if (this.activity$.observed) {
        const path = url.slice(base.path.length).replace(/\?.*/, '');
        this.report(request, trace, { type: 'request', method, path, attempt });
      }
      subscriber.add(() => {
        end(true, { type: 'abort' });
      });
      const fail = (error: unknown) => {
        const failure = this.#failure(error, request, trace);
        end(failure.phase !== 'connect', { type: 'failure', message: failure.message });
        subscriber.error(failure);
      };
      let reply$: Observable<Reply>;
      try {
        // One of another copy of RxJS will do.
        reply$ = from(transport({ method, url, headers, body, timeout: ms, operation }));
      } catch (error) {
        fail(error);
        return;
      }
      const late = () => throwError(() => timedOut(ms, 'requestTimeout', contextOf(request, true)));
      const answer = (reply: Reply) => {
        // It gave more than one at once.
        if (over) return;
        const { status } = reply;
        end(!isRefusal(status), { type: 'reply', status });
        // What the server asks of one, it asks of all who want the same.
        if (status === 429) lane?.slowDown(Math.min(parseRetryAfter(reply.headers, this.now()) ?? 0, maxRetryAfter));
        subscriber.next(reply);
        subscriber.complete();
      };
      // What cannot be read as a reply, or as an error, is an error of the call: thrown on, it would be nobody's.
      const guarded =
        <T>(tell: (told: T) => void) =>
        (told: T) => {
          try {
            tell(told);
          } catch (error) {
            subscriber.error(error);
          }
        };
      // No other operators: they would cost more than all else here.
      const exchange = reply$.pipe(timeout({ first: ms, scheduler, with: late })).subscribe({
        next: guarded(answer),
        error: guarded(fail),
        complete: () => {
          if (!subscriber.closed) fail('it ended without an answer');
        },
      });
      subscriber.add(exchange);
    });
  }

  /** A transport's failure as an error of ours, without whatever the HTTP library hangs on its own. */
  #failure(error: unknown, request: CallRequest, trace: CallState): Error & { readonly phase?: unknown } {
    if (error instanceof RunpodError) return error;
    const { phase, code, message } = Object(error) as { phase?: unknown; code?: unknown; message?: unknown };
    const words = redact(String(message ?? code ?? error), trace);
    const unsent = phase === 'connect';
    return new ConnectionError(
      `${request.operation} on endpoint ${request.endpointId} ${unsent ? 'could not connect' : 'lost its connection'}: ${words}`,
      { ...contextOf(request, !unsent), cause: Object.assign(new Error(words), { code }) },
      { phase: unsent ? 'connect' : 'sent', retryable: true },
    );
  }
}

/** The error for what is asked of a client that is closed. */
export function closedError(context: ErrorContext): ConfigurationError {
  return new ConfigurationError('the client is closed', context);
}

/** The error for a request that is not sent. */
function refused(request: CallRequest, message: string, cause?: unknown): ConfigurationError {
  return new ConfigurationError(message, { ...contextOf(request, false), cause });
}

/** What an error says of the request it happened to. */
function contextOf({ operation, endpointId, jobId, tag, kind }: CallRequest, acted: boolean): ErrorContext {
  return { operation, endpointId, jobId, tag, accepted: kind === 'read' ? undefined : acted ? 'unknown' : 'no' };
}
