import { Observable, Subject, catchError, defer, finalize, of, switchMap, tap, throwError, timeout } from 'rxjs';
import { ConfigurationError } from '../errors/ConfigurationError.js';
import { ConnectionError } from '../errors/ConnectionError.js';
import { RequestTimeoutError } from '../errors/RequestTimeoutError.js';
import { RunpodError, type ErrorContext } from '../errors/RunpodError.js';
import { isRefusal } from '../protocol/operations.js';
import { Lane, type Release } from '../transport/budget.js';
import { compose } from '../transport/compose.js';
import { repeat } from '../transport/repeat.js';
import type { Trace } from '../transport/Trace.js';
import type { Activity, ActivityBase } from '../types/Activity.js';
import type { CallRequest } from '../types/Link.js';
import type { Reply } from '../types/Transport.js';
import { Settlements } from './Settlements.js';
import type { Settings } from './Settings.js';

/** How many of the keys used last are looked for in the texts of errors. */
const KEYS_KEPT = 8;

type Report<T = Activity> = T extends Activity ? Omit<T, keyof ActivityBase> : never;

/** What all endpoints of a client share: the way to the wire, the budget, the activity, and the jobs that were left. */
export class ClientState {
  readonly settings: Settings;
  readonly activity$ = new Subject<Activity>();
  /** Emits once, when the client is closed. */
  readonly closed$ = new Subject<void>();
  readonly settlements = new Settlements();
  closed = false;
  #calls = 0;
  readonly #lanes = new Map<string, Lane>();
  readonly #keys = new Set<string>();

  constructor(settings: Settings) {
    this.settings = settings;
  }

  now(): number {
    return this.settings.scheduler.now();
  }

  trace(lagUntil = 0): Trace {
    return { call: ++this.#calls, attempt: 0, sent: false, left: false, lagUntil };
  }

  /** Takes every key of this client out of a text. */
  readonly redact = (text: string): string => {
    let clean = text;
    for (const key of this.#keys) clean = clean.replaceAll(key, '***');
    return clean;
  };

  /** Sends a request through the user's links, repeats, authorization and the budget. */
  send(request: CallRequest, trace: Trace): Observable<Reply> {
    const { links, retry, scheduler, random } = this.settings;
    return compose(links, (linked) =>
      // Of a call that was left, nothing is sent any more: a link of the user's may want to repeat it.
      trace.left
        ? throwError(() => new ConnectionError('the call was left', 'connect', contextOf(linked)))
        : repeat(linked, (next) => this.#attempt(next, trace), trace, retry, {
            scheduler,
            random,
            report: (delay, reason) => {
              this.report(linked, trace, {
                type: 'repeat',
                delay,
                reason: this.redact(reason),
                attempt: trace.attempt,
              });
            },
          }),
    )(request);
  }

  report(
    request: Pick<CallRequest, 'endpointId' | 'operation' | 'jobId' | 'tag'>,
    trace: Pick<Trace, 'call'>,
    what: Report,
  ): void {
    if (!this.activity$.observed) return;
    const { endpointId, operation, jobId, tag } = request;
    this.activity$.next({
      at: this.now(),
      endpointId,
      operation,
      ...(jobId !== undefined && { jobId }),
      ...(tag !== undefined && { tag }),
      call: trace.call,
      ...what,
    } as Activity);
  }

  #attempt(request: CallRequest, trace: Trace): Observable<Reply> {
    return this.#authorize(request).pipe(
      switchMap((authorized) =>
        this.#lease(authorized, trace).pipe(switchMap((release) => this.#exchange(authorized, trace, release))),
      ),
    );
  }

  #authorize(request: CallRequest): Observable<CallRequest> {
    const { apiKey, keyOptional, keyRefusal } = this.settings;
    const refuse = (message: string, cause?: unknown) =>
      throwError(
        () => new ConfigurationError(message, { ...contextOf(request), ...(cause !== undefined && { cause }) }),
      );
    return defer(apiKey).pipe(
      catchError((cause: unknown) => refuse('the option apiKey is a function, and it failed', cause)),
      switchMap((key) => {
        if (!key) {
          return keyOptional
            ? of(request)
            : refuse('there is no API key: set the option apiKey or the environment variable RUNPOD_API_KEY');
        }
        if (keyRefusal) return refuse(keyRefusal);
        // Characters that no header can carry would make every HTTP library fail in words of its own.
        if (!/^[\x21-\x7e]+$/.test(key)) return refuse('the API key holds spaces or other characters that no key has');
        this.#remember(key);
        return of({ ...request, headers: { ...request.headers, authorization: `Bearer ${key}` } });
      }),
    );
  }

  #remember(key: string): void {
    if (this.#keys.has(key)) return;
    this.#keys.add(key);
    for (const oldest of this.#keys) {
      if (this.#keys.size <= KEYS_KEPT) break;
      this.#keys.delete(oldest);
    }
  }

  #lease(request: CallRequest, trace: Trace): Observable<Release> {
    const { limits, scheduler } = this.settings;
    const bound = Object.hasOwn(limits, request.operation) ? limits[request.operation] : undefined;
    if (!bound) return of(() => undefined);
    const name = `${request.endpointId}/${request.operation}`;
    let lane = this.#lanes.get(name);
    if (!lane) this.#lanes.set(name, (lane = new Lane(bound, scheduler)));
    const found = lane;
    return new Observable((subscriber) => {
      const waiting = found.lease().subscribe(subscriber);
      if (!subscriber.closed) this.report(request, trace, { type: 'wait', waiting: found.waiting });
      return waiting;
    });
  }

  /** One request and its answer on the wire. */
  #exchange(request: CallRequest, trace: Trace, release: Release): Observable<Reply> {
    const { transport, scheduler, base } = this.settings;
    const { method, url, headers, body, operation } = request;
    return defer(() => {
      const began = this.now();
      const attempt = ++trace.attempt;
      let answered = false;
      const took = () => ({ duration: this.now() - began, attempt });
      trace.sent = true;
      this.report(request, trace, { type: 'request', method, path: url.slice(base.path.length), attempt });
      return transport({
        method,
        url,
        headers,
        timeout: request.timeout,
        operation,
        ...(body !== undefined && { body }),
      }).pipe(
        timeout({
          first: request.timeout,
          scheduler,
          with: () =>
            throwError(() => new RequestTimeoutError(request.timeout, 'requestTimeout', contextOf(request, true))),
        }),
        catchError((error: unknown) => throwError(() => this.#failure(error, request))),
        tap({
          next: ({ status }) => {
            answered = true;
            trace.sent = !isRefusal(status);
            this.report(request, trace, { type: 'reply', status, ...took() });
          },
          error: (error: RunpodError) => {
            answered = true;
            trace.sent = error.accepted !== 'no';
            this.report(request, trace, {
              type: 'failure',
              message: error.message,
              accepted: error.accepted ?? 'unknown',
              ...took(),
            });
          },
          unsubscribe: () => {
            if (!answered) this.report(request, trace, { type: 'abort', ...took() });
          },
        }),
      );
    }).pipe(finalize(release));
  }

  /** A transport's failure as an error of ours, without whatever the HTTP library hangs on its own. */
  #failure(error: unknown, request: CallRequest): RunpodError {
    if (error instanceof RunpodError) return error;
    const { phase, code, message } = (
      typeof error === 'object' && error ? error : { message: String(error) }
    ) as Record<string, unknown>;
    const words = this.redact(typeof message === 'string' && message ? message : String(code ?? 'it failed'));
    const never = phase === 'connect';
    const cause = Object.assign(new Error(words), typeof code === 'string' ? { code } : {});
    return new ConnectionError(
      `${request.operation} on endpoint ${request.endpointId} ${never ? 'could not connect' : 'lost its connection'}: ${words}`,
      never ? 'connect' : 'sent',
      { ...contextOf(request, !never), cause },
    );
  }
}

/** What an error says of the request it happened to. */
function contextOf(request: CallRequest, acted = false): ErrorContext {
  const { operation, endpointId, jobId, tag, kind } = request;
  return {
    operation,
    endpointId,
    ...(jobId !== undefined && { jobId }),
    ...(tag !== undefined && { tag }),
    ...(kind !== 'read' && { accepted: acted ? ('unknown' as const) : ('no' as const) }),
  };
}
