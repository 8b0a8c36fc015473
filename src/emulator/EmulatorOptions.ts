import type { Observable, SchedulerLike } from 'rxjs';
import type { Limits } from '../types/Limits.js';
import type { FaultOptions } from './faults/FaultRule.js';
import type { HandlerContext, HandlerJob, JobHandler } from './JobHandler.js';
import type { Answer } from './model/answers.js';
import type { EmulatorRequest } from './model/EmulatorRequest.js';
import type { WebhookOptions } from './webhooks/WebhookOptions.js';

/** The number of workers of an endpoint, and how they start and stop. */
export interface WorkerOptions {
  /**
   * Maximum number of workers at once. With 0 every job stays in the queue.
   * @defaultValue 3
   */
  readonly max?: number;
  /**
   * Workers that are always on and never start cold.
   * @defaultValue 0
   */
  readonly min?: number;
  /**
   * Maximum number of jobs that one worker runs at once.
   * @defaultValue 1
   */
  readonly concurrency?: number;
  /**
   * Milliseconds without work after which a worker goes away; `Infinity` for never. The next job then starts a worker cold.
   * @defaultValue 5 000
   */
  readonly idleTimeout?: number;
}

/** One endpoint of the emulator. Durations are milliseconds, of any length; where it makes sense, `Infinity` is never. */
export interface EmulatedEndpoint {
  /**
   * The work of a job on the workers of this process; see {@link JobHandler}. An endpoint without a handler is served only
   * by workers of other processes.
   */
  handler?(job: HandlerJob, context: HandlerContext): unknown;
  /**
   * Whether each value of an Observable that the handler returns is a chunk. If false, the last value is the result.
   * Generators stream in any case.
   * @defaultValue the value of `aggregate`
   */
  readonly stream?: boolean;
  /**
   * Whether the chunks of a stream are also collected into the job's `output`, as with `return_aggregate_stream`.
   * @defaultValue false
   */
  readonly aggregate?: boolean;
  /**
   * The workers of this process, in addition to workers of other processes. A number is the maximum at once.
   * @defaultValue 3, or 0 without a handler
   */
  readonly workers?: number | WorkerOptions;
  /**
   * Milliseconds that a worker takes to start; `Infinity` for a worker that never does.
   * @defaultValue 0
   */
  readonly coldStart?: number;
  /**
   * Milliseconds that a job without `policy.executionTimeout` may execute; `Infinity` for no timeout.
   * @defaultValue 600 000
   */
  readonly executionTimeout?: number;
  /**
   * Milliseconds between the execution timeout and the kill. On the service 3 to 12 seconds were seen.
   * @defaultValue 3 000
   */
  readonly killLag?: number;
  /**
   * Milliseconds without a sign of life from its worker after which the platform runs a job again, or gives it up.
   * @defaultValue 40 000
   */
  readonly lostAfter?: number;
  /**
   * Milliseconds that a job can be read after its end.
   * @defaultValue `{ run: 1 800 000, runsync: 60 000 }`
   */
  readonly retention?: { readonly run?: number; readonly runsync?: number };
  /**
   * The last part of job ids. An empty string gives ids without this part, as the service once had them.
   * @defaultValue `'u1'`
   */
  readonly region?: string;
}

/** How the emulator behaves where the service's behaviour is not known. The first value of each is the default. */
export interface Variants {
  /** A job whose `ttl` is over: gone (404), or readable with the status `TIMED_OUT`. */
  readonly expired?: 'gone' | 'timed-out';
  /** A job that was purged from the queue: gone (404), or readable with the status `CANCELLED`. */
  readonly purged?: 'gone' | 'cancelled';
  /** A `wait` outside 1 000 – 300 000: moved to the nearest bound, or answered with 400. */
  readonly wait?: 'clamp' | 'reject';
  /** `/cancel` of a job that has ended: 200 with its status, or 404. */
  readonly cancelEnded?: 'state' | 'not-found';
  /** A cancelled job: id and status only, or also times and worker. */
  readonly cancelled?: 'bare' | 'full';
  /** The `output` of a stream that is not aggregated: `[]`, or absent. */
  readonly streamed?: 'empty' | 'absent';
  /** `/runsync` of a job that failed: 200 with the job, or 400 with its id, its status and its error. */
  readonly failed?: 'ok' | 'bad-request';
}

/** A line that a handler wrote with `context.log`, or a note about a job or a worker. */
export interface LogEntry {
  /** `scheduler.now()` in milliseconds. */
  readonly at: number;
  readonly endpointId: string;
  /** An empty string if the line is about a worker. */
  readonly jobId: string;
  readonly workerId: string;
  readonly parts: readonly unknown[];
}

/** A key for every endpoint, or for some. Other endpoints answer the latter with 404, as the service does. */
export type EmulatorKey = string | { readonly key: string; readonly endpoints: readonly string[] };

/** Options of {@link createEmulator}. Only `endpoints` is required. */
export interface EmulatorOptions {
  /** The endpoints by id. A function is an endpoint with this handler. */
  readonly endpoints: Readonly<Record<string, EmulatedEndpoint | JobHandler>>;
  /**
   * The accepted keys. A request with another key, or without a key, is answered with 401.
   * @defaultValue none: requests need no key, and every key is accepted
   */
  readonly keys?: readonly EmulatorKey[];
  /**
   * The rate and concurrency limits of each endpoint. `'documented'`: the limits of RunPod's documentation. `false`: none.
   * @defaultValue `'documented'`
   */
  readonly limits?: 'documented' | Limits | false;
  /**
   * Which requests count against a rate limit: the requests of the last ten seconds (`'sliding'`), or the requests since
   * the last full ten seconds of the clock (`'fixed'`). Which of the two the service uses is not known.
   * @defaultValue `'sliding'`
   */
  readonly rateWindow?: 'sliding' | 'fixed';
  /**
   * Whether a 429 for a limit carries `Retry-After`, in seconds. The service does not document it.
   * @defaultValue false
   */
  readonly retryAfter?: boolean;
  /** The faults, and how often they strike; see {@link FaultRule}. */
  readonly faults?: FaultOptions;
  /**
   * Called with every request. Return `next(request)` for the usual answer, or an answer of your own. An error of the
   * returned Observable acts as a failure of the network.
   */
  readonly intercept?: (
    request: EmulatorRequest,
    next: (request: EmulatorRequest) => Observable<Answer>,
  ) => Observable<Answer>;
  /** Which hosts webhooks may be posted to, and how they are posted. */
  readonly webhooks?: WebhookOptions;
  /** How the emulator behaves where the service's behaviour is not known. */
  readonly variants?: Variants;
  /**
   * The round trip of a request, in process and over HTTP, in milliseconds: one half before the emulator sees the request,
   * the other half after the answer.
   * @defaultValue 0
   */
  readonly latency?: number | ((request: EmulatorRequest) => number);
  /**
   * Seed of all random choices (ids, faults): the same seed and the same requests give the same answers. With a seed, an
   * emulator that is started again gives out the ids of the run before.
   * @defaultValue a random one, shown as `Emulator.seed`
   */
  readonly seed?: number | string;
  /**
   * The emulator's only clock. With a `TestScheduler` or `VirtualTimeScheduler` nothing waits in real time.
   * @defaultValue `asyncScheduler`, with a clock that does not change when the computer's clock is set
   */
  readonly scheduler?: SchedulerLike;
  /**
   * Number of jobs, and number of requests, that the ledger remembers.
   * @defaultValue 10 000
   */
  readonly history?: number;
  /** Called with each line that a handler logs. */
  readonly log?: (entry: LogEntry) => void;
}
