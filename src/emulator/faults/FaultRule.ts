import type { Operation } from '../../types/Operation.js';

/**
 * What can go wrong with a request.
 *
 * - `connection-refused`: no connection comes about. (The HTTP server has accepted it already: there it is a reset.)
 * - `reset-before`: the connection breaks before the request takes effect.
 * - `reset-after`: the request takes effect, then the connection breaks.
 * - `no-answer`: the request takes effect, an answer never comes.
 * - `latency`: the request arrives `after` milliseconds (200) later, and up to `jitter` milliseconds (0) more. Another
 *   fault may strike the same request.
 * - `slow-answer`: the answer comes `after` milliseconds (10 000) too late.
 * - `slow-body`: the answer begins at once, and its text trickles in over `for` milliseconds (10 000). In-process, where an
 *   answer is whole, it is then that it comes.
 * - `truncated-answer`: the answer's text is cut in the middle.
 * - `html-502`, `empty-502`: the edge answers, with a page of HTML or nothing.
 * - `empty-429`: as if a limit were exceeded; with `retryAfter`, it says when to come again.
 * - `bare-error`: 200 with nothing but `{"error": message}`.
 * - `answer`: `status`, `headers` and `body` as the rule says.
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
 * What can go wrong with a job.
 *
 * - `transient-404`: for `for` milliseconds (2 000) after its submission it is not found.
 * - `lost-worker`: its worker disappears `after` milliseconds (0) into a run. Seen per run: with `times: 1` the platform's
 *   second run succeeds, without it the job fails with `job timed out after 1 retries`. A worker of another process is told
 *   to stop the job, and what it says of it from then on is not heard.
 * - `json-error`: it fails as if the handler had thrown `message`: `error` is a string that holds JSON.
 * - `no-output`: it is COMPLETED, but its result did not get through.
 * - `late-progress`: `after` milliseconds (1 000) after its end, a late progress update shows it as IN_PROGRESS again: for
 *   `for` milliseconds, or for good.
 * - `expired-result`: `after` milliseconds (1 000) after its end it can no longer be read.
 * - `duplicate-webhook`: its webhook is delivered twice.
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
 * What can be wrong with workers, for as long as the rule is there. Only `endpoint` and `workers` of a rule matter then. What
 * runs already goes on. Workers of other processes get no work meanwhile, unless `workers` says how many it concerns.
 *
 * - `no-workers`: none come about, and idle ones go away.
 * - `throttled-workers`: they wait for a GPU that nobody has; `/health` counts them as `throttled`.
 * - `unhealthy-workers`: they crash as they start; `/health` counts them as `unhealthy`.
 */
export type WorkerFault = 'no-workers' | 'throttled-workers' | 'unhealthy-workers';

/** The name of a fault. */
export type FaultName = RequestFault | JobFault | WorkerFault;

/** What a rule's `when` is asked about: a request, or a job at the moment the fault would strike it. */
export interface FaultContext {
  /** `scheduler.now()` in milliseconds. */
  readonly at: number;
  readonly endpointId?: string;
  /** The operation of the request; of a job, the one that submitted it. */
  readonly operation?: Operation;
  readonly jobId?: string;
  readonly method?: string;
  /** Path and query of the request. */
  readonly path?: string;
  /** The worker that sent the request, where one did. */
  readonly workerId?: string;
  /** The job's input, for faults of jobs. */
  readonly input?: Readonly<Record<string, unknown>>;
}

/** When a fault strikes. All conditions must hold; a rule without any strikes always. */
export interface FaultConditions {
  /**
   * Only requests of these operations; for faults of jobs, only jobs submitted so.
   * @defaultValue every operation of clients, none of workers; `dropped-stream`: `stream`
   */
  readonly on?: Operation | readonly Operation[];
  /** Only this endpoint. */
  readonly endpoint?: string;
  /** Only where this returns true. */
  readonly when?: (context: FaultContext) => boolean;
  /** Only the n-th, counted from 1 among those that fit `on`, `endpoint` and `when`; or these. */
  readonly nth?: number | readonly number[];
  /** How likely it strikes, 0 to 1, decided by the seed. */
  readonly probability?: number;
  /** At most so often. */
  readonly times?: number;
  /**
   * How many in a row: once it strikes, it strikes those that fit and come next as well.
   * @defaultValue 1
   */
  readonly burst?: number;
}

/** How a fault looks. Each member concerns only the faults that mention it. */
export interface FaultDetails {
  /** Milliseconds; see the fault. */
  readonly after?: number;
  /** Milliseconds; see the fault. */
  readonly for?: number;
  /** Milliseconds, at most; see `latency`. */
  readonly jitter?: number;
  /**
   * How many workers of this process it concerns.
   * @defaultValue all of the endpoint, those of other processes too
   */
  readonly workers?: number;
  /**
   * Whether the request takes effect although its answer is wrong.
   * @defaultValue false for `html-502`, `empty-502`, `empty-429`, `bare-error` and `answer`
   */
  readonly accepted?: boolean;
  /** The `Retry-After` header of `empty-429`: seconds, or any text. */
  readonly retryAfter?: number | string;
  /** The text of `bare-error` and `json-error`. */
  readonly message?: string;
  /** The status of `answer`. Default 500. */
  readonly status?: number;
  /** Headers of `answer`, lower-case names. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The body of `answer`: text as it is, anything else as JSON. */
  readonly body?: unknown;
}

/** One thing that goes wrong, and when: `{ fault: 'empty-429', on: 'status', nth: 2, retryAfter: 1 }`. */
export interface FaultRule extends FaultConditions, FaultDetails {
  readonly fault: FaultName;
}

/**
 * Rules as a list, the first that strikes wins; or by name, where a number is a probability:
 * `{ 'empty-502': 0.05, 'lost-worker': { times: 1 } }`.
 */
export type FaultOptions =
  readonly FaultRule[] | Readonly<Partial<Record<FaultName, number | (FaultConditions & FaultDetails)>>>;
