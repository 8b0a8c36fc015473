import {
  AsyncSubject,
  asyncScheduler,
  concat,
  concatMap,
  defer,
  finalize,
  of,
  type Observable,
  type ObservableInput,
  type SchedulerLike,
  type Subject,
} from 'rxjs';
import type { AxiosInstance } from 'axios';
import { DEFAULT_BASE_URL, parseBaseUrl } from './http/baseUrl.js';
import { ClientContext } from './http/ClientContext.js';
import type { EndpointOptions } from './endpoint/EndpointOptions.js';
import { EndpointContext } from './endpoint/EndpointContext.js';
import { resolveLimits, type LimitsOption } from './http/resolveLimits.js';
import { Endpoint } from './endpoint.js';
import { ConfigurationError } from './errors/ConfigurationError.js';
import { checkDurations, issuesText } from './protocol/checks.js';
import { axiosTransport } from './http/transports/axiosTransport.js';
import type { RetryOptions } from './http/retryCall.js';
import type { Activity } from './types/Activity.js';
import type { Link } from './types/Link.js';
import type { SettleReport } from './types/SettleReport.js';
import type { Transport } from './types/Transport.js';

/** Options of a client that brings its own transport. */
export interface ClientOptions {
  /** Sends the requests: `axiosTransport()`, `undiciTransport()`, an emulator's, or your own. */
  readonly transport: Transport;
  /**
   * The API key, or a function that gives it for each request, from wherever keys are kept. It goes into the
   * `Authorization` header and nowhere else.
   * @defaultValue the environment variable `RUNPOD_API_KEY`
   */
  readonly apiKey?: string | (() => string | ObservableInput<string>);
  /**
   * Where the API is: a proxy of your own, or an emulator. May have a path and a query, and may be relative in a
   * browser. Without a key, requests to it carry none.
   * @defaultValue the environment variable `RUNPOD_BASE_URL`, else `https://api.runpod.ai/v2`
   */
  readonly baseUrl?: string;
  /** Steps between the endpoints and the wire, outermost first. */
  readonly links?: readonly Link[];
  /** How failed requests are repeated; `false` sends each once (but for a 404 of a job just submitted). */
  readonly retry?: RetryOptions | false;
  /**
   * What keeps the requests within the service's limits, for each endpoint and operation: the documented ones, your own,
   * a share of the documented ones where several processes use an endpoint, or nothing.
   * @defaultValue `'documented'`
   */
  readonly limits?: LimitsOption;
  /**
   * How long one attempt may take, in milliseconds. Requests that the service holds may take as long as they are held
   * and 15 s more.
   * @defaultValue 30 000, submissions 120 000
   */
  readonly requestTimeout?: number;
  /**
   * All time comes from it.
   * @defaultValue `asyncScheduler`
   */
  readonly scheduler?: SchedulerLike;
  /**
   * Draws the spread of pauses: a number from 0 up to 1.
   * @defaultValue `Math.random`
   */
  readonly random?: () => number;
  /**
   * Job objects that arrive by another way, such as webhooks: each counts as an answer to whoever watches the job, and
   * postpones the next poll. What is no job object is passed over.
   */
  readonly notices?: Observable<unknown>;
  /**
   * Lets a key be used over plain http to another machine, where it can be read on its way.
   * @defaultValue false
   */
  readonly allowInsecure?: boolean;
}

/** Options of {@link runpod}. */
export interface RunpodOptions extends Omit<ClientOptions, 'transport'> {
  /** An axios instance of your own, with its interceptors and agents. */
  readonly axios?: AxiosInstance;
  /**
   * Lets a key be used in a browser, where every visitor can read it.
   * @defaultValue false
   */
  readonly allowBrowser?: boolean;
}

/** A client of the service: one budget, one connection pool, and one view of each job, for all of its endpoints. */
export class Runpod {
  /**
   * Every request, answer, failure, repeat, wait and cancel, as it happens; never the key. It costs nothing while nobody
   * listens. Never errors; completes when the client is closed.
   */
  readonly activity$: Observable<Activity>;
  readonly #client: ClientContext;
  readonly #endpoints = new Map<string | undefined, EndpointContext>();
  readonly #closing$ = new AsyncSubject<SettleReport>();

  /** @internal */
  constructor(client: ClientContext) {
    this.#client = client;
    this.activity$ = client.activity$.asObservable();
  }

  /**
   * An endpoint by its id; asking twice gives two views of the same.
   *
   * ```ts
   * const endpoint = runpod().endpoint<{ prompt: string }, { text: string }>('my-endpoint');
   * ```
   *
   * @param id - from the environment variable `ENDPOINT_ID` where it is not given. A wrong or missing one is an error of
   * each call.
   */
  endpoint<I extends object = Record<string, unknown>, O = unknown, C = unknown>(
    id: string | undefined = env('ENDPOINT_ID'),
    options: EndpointOptions<I, O, C> = {},
  ): Endpoint<I, O, C> {
    let context = this.#endpoints.get(id);
    if (!context) {
      context = new EndpointContext(id, this.#client);
      this.#endpoints.set(id, context);
    }
    context.parse = options.parse ?? context.parse;
    return new Endpoint({ context, options });
  }

  /**
   * Waits until no job that was left is still being cancelled, and none is still on its way: emits one report, of all
   * since the last one, and completes. Never errors. Unsubscribing stops waiting, not cancelling.
   */
  settled(): Observable<SettleReport> {
    return this.#client.pendingCancels.settled();
  }

  /**
   * Ends the client: every call still subscribed to errors and is left, as if it had been unsubscribed from; waits until
   * all is settled, and closes the connections. Acts at the call; the Observable reports, as `settled()` does.
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
              defer(() => client.settings.transport.close?.() ?? []),
              of(report),
            ),
          ),
          finalize(() => {
            client.activity$.complete();
          }),
        )
        // Keeps what comes last, which is the report.
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
 * Throws `ConfigurationError` for options that cannot work; what is missing, such as a key, is an error of each call.
 */
export function createRunpod(options: ClientOptions): Runpod {
  return create(options);
}

/**
 * A client over axios: on Node with an undici pool beneath, in a browser over `fetch`.
 *
 * ```ts
 * const endpoint = runpod({ apiKey: process.env.RUNPOD_API_KEY }).endpoint('my-endpoint');
 * ```
 *
 * Throws `ConfigurationError` for options that cannot work; what is missing, such as a key, is an error of each call.
 */
export function runpod({ axios, allowBrowser = false, ...options }: RunpodOptions = {}): Runpod {
  const inBrowser = 'window' in globalThis && 'document' in globalThis;
  const exposed = inBrowser && !allowBrowser && !axios;
  return create({ ...options, transport: axiosTransport(axios) }, exposed);
}

function create(options: ClientOptions, exposed = false): Runpod {
  const {
    transport,
    apiKey = env('RUNPOD_API_KEY'),
    retry = {},
    limits = 'documented',
    requestTimeout,
    scheduler = asyncScheduler,
  } = options;
  const given = options.baseUrl ?? env('RUNPOD_BASE_URL');
  const base = parseBaseUrl(given ?? DEFAULT_BASE_URL, options.allowInsecure);
  if (typeof base === 'string') throw misuse(`the base URL ${base}`);
  const issues = checkDurations({ requestTimeout });
  if (issues.length) throw misuse(issuesText(issues));
  const bounds = resolveLimits(limits);
  if (!bounds) throw misuse('limits.share must be above 0 and at most 1');
  const client = new ClientContext({
    transport,
    apiKey,
    base,
    links: options.links ?? [],
    retry: retry === false ? { attempts: 1 } : retry,
    limits: bounds,
    requestTimeout,
    scheduler,
    random: options.random ?? Math.random,
    notices: options.notices,
    keyRefusal:
      exposed && !base.loopback
        ? 'in a browser every visitor can read the API key: use a server of your own (baseUrl), or set allowBrowser'
        : undefined,
    keyOptional: given !== undefined,
  });
  return new Runpod(client);
}

function misuse(message: string): ConfigurationError {
  return new ConfigurationError(message, { operation: 'runpod' });
}

/** An environment variable, where there is an environment; an empty one counts as none. */
function env(name: string): string | undefined {
  const { process } = globalThis as { process?: { env?: Record<string, string | undefined> } };
  return process?.env?.[name] || undefined;
}
