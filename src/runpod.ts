import {
  AsyncSubject,
  EMPTY,
  Subscription,
  catchError,
  concat,
  concatMap,
  defer,
  finalize,
  of,
  type Observable,
  type ObservableInput,
  type SchedulerLike,
  type Subject,
  type Unsubscribable,
} from 'rxjs';
import type { AxiosInstance } from 'axios';
import { DEFAULT_BASE_URL, parseBaseUrl } from './http/baseUrl.js';
import { ClientContext } from './http/ClientContext.js';
import { environmentVariable } from './http/environmentVariable.js';
import { inBrowser } from './http/transports/inBrowser.js';
import type { EndpointOptions } from './endpoint/EndpointOptions.js';
import { EndpointContext } from './endpoint/EndpointContext.js';
import { checkLimits } from './http/checkLimits.js';
import { checkRetry } from './http/checkRetry.js';
import { spreadBy } from './http/spreadBy.js';
import { hasBudget, resolveLimits, type LimitsOption } from './http/resolveLimits.js';
import { Endpoint } from './endpoint.js';
import { ConfigurationError } from './errors/ConfigurationError.js';
import { assertOptions } from './errors/invalidOptions.js';
import { reportUnhandled } from './errors/reportUnhandled.js';
import {
  anything,
  callback,
  count,
  duration,
  either,
  flag,
  axios as isAxios,
  mustBe,
  observable,
  required,
  scheduler as isScheduler,
  schema,
  secret,
  text,
  type Checks,
} from './protocol/checkOptions.js';
import { MAX_RESPONSE_BYTES } from './protocol/limits.js';
import { axiosTransport } from './http/transports/axiosTransport.js';
import type { RetryOptions } from './http/retryCall.js';
import { durationScheduler, wallClockOf } from './time/clocks.js';
import type { Activity, CallOrigin } from './types/Activity.js';
import type { AroundSend } from './types/AroundSend.js';
import type { Link } from './types/Link.js';
import type { SettleReport } from './types/SettleReport.js';
import type { Transport, TransportRequest } from './types/Transport.js';

/** Options of a client that brings its own transport. */
export interface ClientOptions {
  /** Sends the requests: `axiosTransport()`, `undiciTransport()`, an emulator's, or your own. */
  readonly transport: Transport;
  /**
   * The API key, or a function that gives it for each request, from wherever keys are kept. It goes into the
   * `Authorization` header and nowhere else.
   * @defaultValue the environment variable `RUNPOD_API_KEY`
   */
  readonly apiKey?: string | (() => string | ObservableInput<string>) | undefined;
  /**
   * Where the API is: a proxy of your own, or an emulator. May have a path and a query, and may be relative in a
   * browser. Without a key, requests to it carry none.
   * @defaultValue the environment variable `RUNPOD_BASE_URL`, else `https://api.runpod.ai/v2`
   */
  readonly baseUrl?: string | undefined;
  /** Steps between the endpoints and the wire, outermost first. */
  readonly links?: readonly Link[];
  /** How failed requests are repeated; `false` sends each once, except after the 404 of a job just submitted. */
  readonly retry?: RetryOptions | false;
  /**
   * Which limits the requests keep, for each endpoint and operation: the documented limits, limits of your own, a share of
   * the documented ones where several processes use an endpoint, a budget that several processes share, or none (`false`).
   * @defaultValue `'documented'`
   */
  readonly limits?: LimitsOption;
  /**
   * How long one attempt may take, in milliseconds. A request that the service holds may take 15 s longer than it is held.
   * @defaultValue 30 000, submissions 120 000
   */
  readonly requestTimeout?: number;
  /**
   * How many bytes an answer may have once it is decoded. A larger one is cut off, so that it does not fill the memory: a
   * read errors with `ResponseError`, and a submission with `SubmissionUnknownError`.
   * @defaultValue 67 108 864 (64 MiB)
   */
  readonly maxResponseBytes?: number;
  /**
   * Runs all timers, and measures all durations by its `now()`. In place of `asyncScheduler`, whose clock is set with the
   * computer's, durations are measured by `performance.now()`.
   * @defaultValue `asyncScheduler`
   */
  readonly scheduler?: SchedulerLike;
  /**
   * Spreads pauses and polls: returns a number from 0 up to 1. Where it throws or returns anything else, `Math.random`
   * takes its place: no job depends on it.
   * @defaultValue `Math.random`
   */
  readonly random?: () => number;
  /**
   * Job objects that arrive in another way, such as webhooks. Anybody may have sent them, so each is only a hint: the
   * job with its `id` is read soon, no sooner than half a second after the last answer, and what that read says counts.
   * Anything without the id of a watched job is ignored. What `vouchedNotice` vouches for counts as an answer instead.
   * While every end is told so, or the source says that it follows a job, the job is read once in 30 s, as a safety net.
   * `createWebhooks` of `runpod-rx/server` makes such notices of webhooks.
   */
  readonly notices?: Observable<unknown>;
  /**
   * Allows an API key over plain http to another machine. Others can read it on its way.
   * @defaultValue false
   */
  readonly allowInsecure?: boolean;
}

/** Options of {@link runpod}. */
export interface RunpodOptions extends Omit<ClientOptions, 'transport'> {
  /** An axios instance of your own, with its interceptors and agents. */
  readonly axios?: AxiosInstance;
  /**
   * Allows an API key in a page of a browser and its workers. Every visitor can read it.
   * @defaultValue false
   */
  readonly allowBrowser?: boolean;
}

const OWN: Checks<Omit<ClientOptions, 'transport'>> = {
  apiKey: either('function', anything, secret),
  baseUrl: text,
  links: mustBe(
    'a list of functions',
    (links) => Array.isArray(links) && links.every((link) => typeof link === 'function'),
  ),
  retry: checkRetry,
  limits: checkLimits,
  requestTimeout: duration,
  maxResponseBytes: count(1),
  scheduler: isScheduler,
  random: callback,
  notices: observable,
  allowInsecure: flag,
};

const CLIENT: Checks<ClientOptions> = { ...OWN, transport: required(callback) };

const RUNPOD: Checks<RunpodOptions> = { ...OWN, axios: isAxios, allowBrowser: flag };

const ENDPOINT: Checks<EndpointOptions<object, unknown, unknown>> = {
  input: schema,
  output: schema,
  chunk: schema,
  parse: callback,
};

/** A client of the service. Its endpoints share rate limits, a connection pool, and what is known of each job. */
export class Runpod {
  /**
   * Every request, answer, failure, repeat, wait and cancel, as it happens, without the API key. It costs nothing without
   * subscribers. Never errors; completes when the client is closed.
   */
  readonly activity$: Observable<Activity>;
  /**
   * Every call of an endpoint's method, synchronously at the call: what is current then is the caller's, whoever subscribes to the
   * job later. Activity that comes of the call has the same object as `origin`, while there are subscribers here. For
   * tracers; never errors, and completes when the client is closed.
   */
  readonly calls$: Observable<CallOrigin>;
  /**
   * Emits once at the call of `close()`, before the calls that are still subscribed to error, and completes; to who subscribes
   * later at once. For what should end with the client, and not wait for its cancels as `activity$` does. Never errors.
   */
  readonly closed$: Observable<void>;
  readonly #client: ClientContext;
  readonly #endpoints = new Map<string | undefined, EndpointContext>();
  readonly #closing$ = new AsyncSubject<SettleReport>();

  /** @internal */
  constructor(client: ClientContext) {
    // For JavaScript, where the class looks as if it could be made by `new`.
    if (!(client instanceof ClientContext)) throw misuse('a client is made by runpod(), not by new Runpod()');
    this.#client = client;
    this.activity$ = client.activity$.asObservable();
    this.calls$ = client.calls$.asObservable();
    this.closed$ = client.closed$.asObservable();
  }

  /**
   * An endpoint by its id. Two calls with one id give two objects that share reads, limits and known jobs.
   *
   * ```ts
   * const endpoint = runpod().endpoint<{ prompt: string }, { text: string }>('my-endpoint');
   * ```
   *
   * Throws `ConfigurationError` for options that cannot work.
   *
   * @param id - by default the environment variable `ENDPOINT_ID`. A wrong or missing id is an error of each call.
   */
  endpoint<I extends object = Record<string, unknown>, O = unknown, C = unknown>(
    id: string | undefined = environmentVariable('ENDPOINT_ID'),
    options: EndpointOptions<I, O, C> = {},
  ): Endpoint<I, O, C> {
    assertOptions('endpoint', options, ENDPOINT);
    let context = this.#endpoints.get(id);
    if (!context) {
      context = new EndpointContext(id, this.#client);
      this.#endpoints.set(id, context);
    }
    context.parse = options.parse ?? context.parse;
    return new Endpoint({ context, options });
  }

  /**
   * Has a function run around the sending of each request, such as in the context of a tracer. Unsubscribing takes it back.
   * Of several functions, the first is the outermost.
   */
  aroundSend(around: AroundSend): Unsubscribable {
    const { arounds } = this.#client;
    // A function of its own, since the same one may be given twice.
    const own: AroundSend = (request, send) => {
      around(request, send);
    };
    arounds.add(own);
    return new Subscription(() => arounds.delete(own));
  }

  /**
   * A client with the same options that shares nothing with this one but its transport: no limits, no reads, no known jobs,
   * no `notices`, and its own `settled()` and `close()`, which leaves the transport open. For platforms on which what one
   * request began must not answer another, such as Cloudflare Workers.
   */
  isolated(): Runpod {
    const { settings } = this.#client;
    const own = { transport: withoutClose(settings.transport), notices: undefined };
    return new Runpod(new ClientContext({ ...settings, ...own }));
  }

  /**
   * Waits until every abandoned job is cancelled or known to be over, and every abandoned submission is answered. Emits one
   * report of the jobs since the last report, and completes. Never errors. Unsubscribing stops the waiting, not the cancels.
   */
  settled(): Observable<SettleReport> {
    return this.#client.pendingCancels.settled();
  }

  /**
   * Ends the client: every call that is still subscribed to errors, with the same effect on its job as unsubscribing. Waits
   * until the cancels are settled, and closes the connections. Acts at the call; the Observable emits a report as `settled()`
   * does, and completes.
   *
   * ```ts
   * process.once('SIGINT', () => client.close().subscribe(() => process.exit(130)));
   * ```
   */
  close(): Observable<SettleReport> {
    const client = this.#client;
    if (!client.closed) {
      client.close();
      this.settled()
        .pipe(
          concatMap((report) =>
            concat(
              defer(() => client.settings.transport.close?.() ?? []).pipe(
                // The report counts, whatever becomes of the connections.
                catchError((error: unknown) => {
                  reportUnhandled(error);
                  return EMPTY;
                }),
              ),
              of(report),
            ),
          ),
          finalize(() => {
            client.activity$.complete();
            client.calls$.complete();
          }),
        )
        // An AsyncSubject emits the last value, which is the report.
        .subscribe(this.#closing$ as Subject<unknown>);
    }
    return this.#closing$.asObservable();
  }
}

/**
 * A client over a transport of your choice.
 *
 * ```ts
 * const client = createRunpod({ transport: undiciTransport() });
 * ```
 *
 * Throws `ConfigurationError` for options that cannot work. A missing API key is an error of each call.
 */
export function createRunpod(options: ClientOptions): Runpod {
  assertOptions('createRunpod', options, CLIENT);
  return create(options, options.transport);
}

/**
 * A client over axios: on Node with an undici pool beneath, in a browser over `fetch`.
 *
 * ```ts
 * const endpoint = runpod({ apiKey: process.env.RUNPOD_API_KEY }).endpoint('my-endpoint');
 * ```
 *
 * Throws `ConfigurationError` for options that cannot work. A missing API key is an error of each call.
 */
export function runpod(options: RunpodOptions = {}): Runpod {
  assertOptions('runpod', options, RUNPOD);
  const { axios, allowBrowser = false } = options;
  const exposed = inBrowser() && !allowBrowser && !axios;
  return create(options, axiosTransport(axios), exposed);
}

function create(options: Omit<ClientOptions, 'transport'>, transport: Transport, exposed = false): Runpod {
  const {
    apiKey = environmentVariable('RUNPOD_API_KEY'),
    retry = {},
    limits = 'documented',
    requestTimeout,
    maxResponseBytes = MAX_RESPONSE_BYTES,
  } = options;
  const given = options.baseUrl ?? environmentVariable('RUNPOD_BASE_URL');
  const base = parseBaseUrl(given ?? DEFAULT_BASE_URL, options.allowInsecure);
  if (typeof base === 'string') throw misuse(`the base URL ${base}`);
  const client = new ClientContext({
    transport,
    apiKey,
    base,
    links: options.links ?? [],
    retry: retry === false ? { attempts: 1 } : retry,
    limits: resolveLimits(limits),
    budget: hasBudget(limits) ? limits.budget : undefined,
    requestTimeout,
    maxResponseBytes,
    scheduler: durationScheduler(options.scheduler),
    wallNow: wallClockOf(options.scheduler),
    random: spreadBy(options.random),
    notices: options.notices,
    keyRefusal:
      exposed && !base.loopback
        ? 'in a browser every visitor can read the API key: use a server of your own (baseUrl), or set allowBrowser'
        : undefined,
    keyOptional: given !== undefined,
  });
  return new Runpod(client);
}

/** The same transport, which is another's to close. */
function withoutClose(transport: Transport): Transport {
  const { multiplexes = false } = transport;
  return Object.assign((request: TransportRequest) => transport(request), { multiplexes });
}

function misuse(message: string): ConfigurationError {
  return new ConfigurationError(message, { operation: 'runpod' });
}
