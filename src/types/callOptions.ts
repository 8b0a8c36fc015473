import type { GapPolicy } from './GapPolicy.js';
import type { PollPolicy } from './PollPolicy.js';
import type { Reply, TransportRequest } from './Transport.js';

/** Options that every call takes. */
export interface CallOptions {
  /**
   * How long the whole call may take in milliseconds, with waiting for limits and with repeats. After that, the call
   * errors with `RequestTimeoutError`, or with `SubmissionUnknownError` where a submission was sent.
   * @defaultValue none: each attempt has its `requestTimeout`, and the number of attempts is bounded
   */
  readonly timeout?: number;
  /** Aborting the signal acts as unsubscribing does, and the call errors with `AbortedError`. */
  readonly signal?: AbortSignal;
  /**
   * Headers to add to the request: an object, a `Headers` or a `Map`. `authorization` is left out: the client sets it. A header that cannot be sent, or that
   * belongs to the connection (such as `content-length`, `host`, `expect`), is a `ValidationError`, and nothing is sent.
   */
  readonly headers?: Readonly<Record<string, string>> | Iterable<readonly [string, string]>;
  /** What links find as `CallRequest.context`. It is never sent. */
  readonly context?: Readonly<Record<string, unknown>>;
  /**
   * Called with the answer as it came, whatever its status, before it is read: for its headers, and to pass it on as it is.
   * API keys are taken out. What it throws is reported as an unhandled error, and changes nothing.
   */
  readonly onReply?: (reply: Reply) => void;
}

/** Options of submissions. */
export interface RunOptions extends CallOptions {
  /**
   * Whether an empty `input` is sent. The service accepts an empty input, but its workers never report such a job: it
   * ends as FAILED after two attempts of some 40 seconds each.
   * @defaultValue false
   */
  readonly allowEmptyInput?: boolean;
}

/** Options of `Endpoint.watch`; all durations in milliseconds. */
export interface WatchOptions extends CallOptions {
  /**
   * A fixed delay after each answer: the greatest age that a snapshot reaches. `5000` is the interval in the RunPod
   * documentation. Takes precedence over `poll`.
   * @defaultValue none: `poll` decides
   */
  readonly every?: number;
  /**
   * Decides the delay after each answer.
   * @defaultValue a tenth of the job's age, within 0.5 – 5 s, ± 15 %
   */
  readonly poll?: PollPolicy;
  /**
   * Whether the service may hold the reads of a running job until the job ends, and for how long: `'auto'` holds reads for
   * 25 s where only the job's end is of interest (`runToEnd`, `runSync` after its `wait`, pipelines, a job of which nothing
   * but `output$` is subscribed to), a number for so many milliseconds, 1 000 – 300 000, and for `watch` as well; `false`
   * holds none.
   *
   * Such a read is a `/status-sync`, which RunPod no longer documents, and is answered at once when the job ends. Other
   * changes are seen when the read ends. Where there are more running jobs than reads may be held at once (400, or 2 where
   * the transport does not multiplex), those are held that will most probably end next. Without effect for a job with
   * `every` or `poll`, and for ten minutes on an endpoint that does not hold its answers.
   * @defaultValue `'auto'`
   */
  readonly longPoll?: 'auto' | number | false;
  /**
   * How long reads may fail in a row before their error goes through, counted from the first failure. One failure alone
   * never goes through.
   * @defaultValue 300 000
   */
  readonly outage?: number;
}

/** Options of `Endpoint.runSync`; all durations in milliseconds. */
export interface SyncOptions extends RunOptions, WatchOptions {
  /**
   * How long the service waits for the job to end before it answers, 1 000 – 300 000. After that the job is watched.
   * @defaultValue 90 000, set by the service
   */
  readonly wait?: number;
}

/** Options of `Endpoint.stream`; all durations in milliseconds. */
export interface StreamOptions extends CallOptions {
  /**
   * How long the service holds its answer while there is no chunk, 1 000 – 300 000.
   * @defaultValue 10 000, set by the service
   */
  readonly wait?: number;
  /**
   * What to do after an answer was lost that may have carried chunks.
   *
   * - `hold`: keep the chunks after the gap back until the job is over. Then fill the gap from the job's output where the
   *   output proves to hold every chunk (a worker with `return_aggregate_stream`); else error with `StreamGapError`.
   * - `mark`: report the gap in `activity$`, and go on at once.
   * - `error`: error with `StreamGapError` at once.
   * @defaultValue `'hold'`
   */
  readonly onGap?: GapPolicy;
  /**
   * How long reads may fail in a row before their error goes through, counted from the first failure. One failure alone
   * never goes through.
   * @defaultValue 300 000
   */
  readonly outage?: number;
}

/** Options of `Endpoint.watchHealth`; all durations in milliseconds. */
export interface WatchHealthOptions extends Pick<CallOptions, 'timeout' | 'signal'> {
  /**
   * The delay from an answer to the next read. Watchers with the same `every` share their reads.
   * @defaultValue 5 000
   */
  readonly every?: number;
  /**
   * How long reads may fail in a row before their error goes through, counted from the first failure. One failure alone
   * never goes through.
   * @defaultValue 300 000
   */
  readonly outage?: number;
}

/** The request that `Endpoint.request` sends. */
export interface RawRequest extends CallOptions {
  /** @defaultValue `POST` with a body, else `GET` */
  readonly method?: TransportRequest['method'];
  /** The body, sent as JSON; a string is sent as it is. */
  readonly body?: unknown;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
}
