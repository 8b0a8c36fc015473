import type { Observable, SchedulerLike } from 'rxjs';
import type { Limits } from '../types/Limits.js';
import type { FaultOptions } from './faults/FaultRule.js';
import type { HandlerContext, HandlerJob } from './JobHandler.js';
import type { Answer } from './model/answers.js';
import type { EmulatorRequest } from './model/EmulatorRequest.js';
import type { WebhookOptions } from './webhooks/WebhookOptions.js';

/** How many workers an endpoint has, and how they behave. */
export interface WorkerOptions {
  /**
   * Most workers at once. With 0 every job stays in the queue.
   * @defaultValue 3
   */
  readonly max?: number;
  /**
   * Workers that are always on and never start cold.
   * @defaultValue 0
   */
  readonly min?: number;
  /**
   * Jobs that one worker runs at once.
   * @defaultValue 1
   */
  readonly concurrency?: number;
  /**
   * Milliseconds without work after which a worker goes away, so that the next job starts one cold.
   * @defaultValue 5 000
   */
  readonly idleTimeout?: number;
}

/** One endpoint of the emulator. Durations are milliseconds. */
export interface EmulatedEndpoint {
  /**
   * What the workers of this process do with a job; see {@link JobHandler}. Without it only workers of other processes
   * serve the endpoint.
   */
  handler?(job: HandlerJob, context: HandlerContext): unknown;
  /**
   * Whether the values of an Observable that the handler returns are chunks, rather than its last value the result.
   * Generators stream in any case.
   * @defaultValue the value of `aggregate`
   */
  readonly stream?: boolean;
  /**
   * Whether the chunks of a stream are also collected into the job's `output`, as `return_aggregate_stream` does it.
   * @defaultValue false
   */
  readonly aggregate?: boolean;
  /**
   * The workers of this process; those of others come on top. A number is the most at once.
   * @defaultValue 3, or 0 without a handler
   */
  readonly workers?: number | WorkerOptions;
  /**
   * How long a worker takes to start.
   * @defaultValue 0
   */
  readonly coldStart?: number;
  /**
   * How long a job may execute when its `policy.executionTimeout` says nothing.
   * @defaultValue 600 000
   */
  readonly executionTimeout?: number;
  /**
   * How late a job over its execution timeout is killed. On the service 3 to 12 seconds were seen.
   * @defaultValue 3 000
   */
  readonly killLag?: number;
  /**
   * After how long without a word from its worker the platform runs a job again, or gives it up.
   * @defaultValue 40 000
   */
  readonly lostAfter?: number;
  /**
   * How long an ended job can be read.
   * @defaultValue `{ run: 1 800 000, runsync: 60 000 }`
   */
  readonly retention?: { readonly run?: number; readonly runsync?: number };
  /**
   * The last part of job ids; empty for ids as they once were.
   * @defaultValue `'u1'`
   */
  readonly region?: string;
}

/** Which way the emulator goes where it is not known how the service behaves. The first word is the default. */
export interface Variants {
  /** A job over its `ttl`: gone (404), or readable with the status `TIMED_OUT`. */
  readonly expired?: 'gone' | 'timed-out';
  /** A job that was purged from the queue: gone (404), or readable with the status `CANCELLED`. */
  readonly purged?: 'gone' | 'cancelled';
  /** `wait` outside 1 000 – 300 000: moved to the nearest bound, or answered with 400. */
  readonly wait?: 'clamp' | 'reject';
  /** `/cancel` of a job that is over: 200 with the state it has, or 404. */
  readonly cancelEnded?: 'state' | 'not-found';
  /** A cancelled job: id and status only, or with times and worker. */
  readonly cancelled?: 'bare' | 'full';
  /** The `output` of a stream that is not aggregated: `[]`, or none. */
  readonly streamed?: 'empty' | 'absent';
  /** `/runsync` of a job that failed: 200 with the job, or 400 with its id, its status and its error. */
  readonly failed?: 'ok' | 'bad-request';
}

/** What a handler wrote with `context.log`. */
export interface LogEntry {
  /** `scheduler.now()` in milliseconds. */
  readonly at: number;
  readonly endpointId: string;
  readonly jobId: string;
  readonly workerId: string;
  readonly parts: readonly unknown[];
}

/** A key, or a key that opens only some endpoints: the others answer it with 404, as the service does. */
export type EmulatorKey = string | { readonly key: string; readonly endpoints: readonly string[] };

/** Options of {@link createEmulator}. Only `endpoints` is required. */
export interface EmulatorOptions {
  /** The endpoints by id. */
  readonly endpoints: Readonly<Record<string, EmulatedEndpoint>>;
  /**
   * The keys that are let in; any other is answered with 401.
   * @defaultValue none: requests need no key, and any key will do
   */
  readonly keys?: readonly EmulatorKey[];
  /**
   * The rate and concurrency limits of each endpoint. `'documented'`: those of RunPod's documentation. `false`: none.
   * @defaultValue `'documented'`
   */
  readonly limits?: 'documented' | Limits | false;
  /**
   * How requests are counted against a rate limit: those of the last ten seconds, or those since the last full ten
   * seconds. Which of them the service uses is not known.
   * @defaultValue `'sliding'`
   */
  readonly rateWindow?: 'sliding' | 'fixed';
  /**
   * Whether a 429 for a limit carries `Retry-After`, in seconds. The service does not document it.
   * @defaultValue false
   */
  readonly retryAfter?: boolean;
  /** What goes wrong, and how often; see {@link FaultRule}. */
  readonly faults?: FaultOptions;
  /**
   * Sees every request first: `next(request)` goes on as usual, and anything else may be answered instead. An error is a
   * failure of the network.
   */
  readonly intercept?: (
    request: EmulatorRequest,
    next: (request: EmulatorRequest) => Observable<Answer>,
  ) => Observable<Answer>;
  /** Where webhooks may go, and how they are posted. */
  readonly webhooks?: WebhookOptions;
  /** Choices where the service's behaviour is not known. */
  readonly variants?: Variants;
  /**
   * How long a request and its answer are on their way together, in milliseconds, on the in-process transport: one half
   * before the emulator sees the request, the other half after it answered.
   * @defaultValue 0
   */
  readonly latency?: number | ((request: EmulatorRequest) => number);
  /**
   * Decides ids and faults: the same seed and the same requests give the same answers.
   * @defaultValue 1
   */
  readonly seed?: number | string;
  /**
   * Where all time comes from. With a `TestScheduler` or `VirtualTimeScheduler` nothing waits in real time.
   * @defaultValue `asyncScheduler`
   */
  readonly scheduler?: SchedulerLike;
  /**
   * How many jobs, and how many requests, the ledger remembers.
   * @defaultValue 10 000
   */
  readonly history?: number;
  /** Receives what handlers log. */
  readonly log?: (entry: LogEntry) => void;
}
