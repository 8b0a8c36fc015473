import type { Operation } from '../../types/Operation.js';

/**
 * Faults of a request.
 *
 * - `connection-refused`: no connection is made. (The HTTP server has accepted the connection already, and resets it.)
 * - `reset-before`: the connection breaks before the request takes effect.
 * - `reset-after`: the request takes effect, then the connection breaks.
 * - `no-answer`: the request takes effect, but an answer never comes.
 * - `latency`: the request arrives `after` milliseconds (200) late, plus up to `jitter` milliseconds (0). Another fault may
 *   strike the same request.
 * - `slow-answer`: the answer comes `after` milliseconds (10 000) late.
 * - `slow-body`: the answer begins at once, and its text arrives piece by piece over `for` milliseconds (10 000). The
 *   in-process transport emits the whole answer at the end of that time.
 * - `truncated-answer`: the second half of the answer's text is missing.
 * - `html-502`, `empty-502`: the service's edge answers with 502, and with a page of HTML or an empty body.
 * - `empty-429`: 429, as if a limit were exceeded, with a `Retry-After` header if the rule has `retryAfter`.
 * - `bare-error`: 200 with the body `{"error": message}`.
 * - `answer`: an answer with `status`, `headers` and `body` of the rule.
 * - `dropped-stream`: chunks are taken out of the stream, and the answer that holds them is lost.
 */
export type RequestFault =
  | 'connection-refused'
  | 'reset-before'
  | 'reset-after'
  | 'no-answer'
  | 'latency'
  | 'slow-answer'
  | 'slow-body'
  | 'truncated-answer'
  | 'html-502'
  | 'empty-502'
  | 'empty-429'
  | 'bare-error'
  | 'answer'
  | 'dropped-stream';

/**
 * Faults of a job.
 *
 * - `transient-404`: for `for` milliseconds (2 000) after its submission, reads of the job are answered with 404.
 * - `lost-worker`: the job's worker disappears `after` milliseconds (0) into a run. The fault strikes per run: with
 *   `times: 1` the platform's second run succeeds; without it the job fails with `job timed out after 1 retries`. A worker of
 *   another process gets a stop signal for the job, and its later posts for the job are refused.
 * - `json-error`: the job fails as if the handler had thrown `message`: `error` is a string that holds JSON.
 * - `no-output`: the job is COMPLETED, but has no output.
 * - `late-progress`: `after` milliseconds (1 000) after the job's end, a late progress update makes answers show IN_PROGRESS
 *   again, for `for` milliseconds or for good.
 * - `expired-result`: `after` milliseconds (1 000) after its end, the job can no longer be read.
 * - `duplicate-webhook`: the job's webhook is delivered twice.
 */
export type JobFault =
  | 'transient-404'
  | 'lost-worker'
  | 'json-error'
  | 'no-output'
  | 'late-progress'
  | 'expired-result'
  | 'duplicate-webhook';

/**
 * Faults of workers. They last as long as the rule is active, and use only its `endpoint` and `workers`. Running jobs go on.
 * Without `workers`, workers of other processes get no jobs either.
 *
 * - `no-workers`: no worker starts, and idle workers go away.
 * - `throttled-workers`: workers wait for a free GPU; `/health` counts them as `throttled`.
 * - `unhealthy-workers`: workers crash as they start; `/health` counts them as `unhealthy`.
 */
export type WorkerFault = 'no-workers' | 'throttled-workers' | 'unhealthy-workers';

/** The name of a fault. */
export type FaultName = RequestFault | JobFault | WorkerFault;

/** The argument of a rule's `when`: a request, or a job at the moment the fault would strike it. */
export interface FaultContext {
  /** `scheduler.now()` in milliseconds. */
  readonly at: number;
  readonly endpointId?: string;
  /** The operation of the request. For a fault of a job: the operation that submitted the job. */
  readonly operation?: Operation;
  readonly jobId?: string;
  readonly method?: string;
  /** Path and query of the request. */
  readonly path?: string;
  /** The worker that sent the request, if a worker sent it. */
  readonly workerId?: string;
  /** The job's input, for faults of jobs. */
  readonly input?: Readonly<Record<string, unknown>>;
}

/** When a fault strikes. All conditions must hold; a rule without conditions strikes always. */
export interface FaultConditions {
  /**
   * Only requests of these operations. For faults of jobs: only jobs that these operations submitted.
   * @defaultValue every operation of clients, no operation of workers; for `dropped-stream`, `stream`
   */
  readonly on?: Operation | readonly Operation[];
  /** Only this endpoint. */
  readonly endpoint?: string;
  /** Only if this function returns true. A rule whose function throws does not strike. */
  readonly when?: (context: FaultContext) => boolean;
  /** Only the n-th request or job that matches `on`, `endpoint` and `when`, counted from 1; or a list of such numbers. */
  readonly nth?: number | readonly number[];
  /** The probability that the fault strikes, 0 to 1. The emulator's seed decides. */
  readonly probability?: number;
  /** The maximum number of strikes. */
  readonly times?: number;
  /**
   * How many matching requests or jobs in a row the fault strikes, once it strikes.
   * @defaultValue 1
   */
  readonly burst?: number;
}

/** Details of a fault. Each member is used only by the faults whose description names it. */
export interface FaultDetails {
  /** Milliseconds; see the fault. */
  readonly after?: number;
  /** Milliseconds; see the fault. */
  readonly for?: number;
  /** Milliseconds, at most; see `latency`. */
  readonly jitter?: number;
  /**
   * The number of workers of this process that the fault keeps away.
   * @defaultValue all workers of the endpoint, also those of other processes
   */
  readonly workers?: number;
  /**
   * Whether the request takes effect although its answer is replaced.
   * @defaultValue false for `html-502`, `empty-502`, `empty-429`, `bare-error` and `answer`
   */
  readonly accepted?: boolean;
  /** The `Retry-After` header of `empty-429`: seconds, or any text. */
  readonly retryAfter?: number | string;
  /** The text of `bare-error` and `json-error`. */
  readonly message?: string;
  /** The status of `answer`. Default 500. */
  readonly status?: number;
  /** Headers of `answer`, lower-case names. The emulator sets those that say how the body is sent. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The body of `answer`: a string is sent unchanged, any other value as JSON. */
  readonly body?: unknown;
}

/** One fault, and when it strikes: `{ fault: 'empty-429', on: 'status', nth: 2, retryAfter: 1 }`. */
export interface FaultRule extends FaultConditions, FaultDetails {
  readonly fault: FaultName;
}

/**
 * Rules as a list, of which the first that strikes wins. Or an object by fault name, in which a number is a probability:
 * `{ 'empty-502': 0.05, 'lost-worker': { times: 1 } }`.
 */
export type FaultOptions =
  readonly FaultRule[] | Readonly<Partial<Record<FaultName, number | (FaultConditions & FaultDetails)>>>;
