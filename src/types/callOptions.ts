import type { GapPolicy } from './GapPolicy.js';
import type { PollPolicy } from './PollPolicy.js';
import type { TransportRequest } from './Transport.js';

/** Options that every call takes. */
export interface CallOptions {
  /**
   * Limits the whole call, waiting and repeats included, in milliseconds. Over it, the call errors with
   * `RequestTimeoutError`, or `SubmissionUnknownError` where a submission was already on its way.
   * @defaultValue no limit but `requestTimeout` per attempt and the bounded number of attempts
   */
  readonly timeout?: number;
  /** Aborting it is leaving the call: as unsubscribing, and the subscriber gets an `AbortedError`. */
  readonly signal?: AbortSignal;
  /** Added to the request's headers. `authorization` is the client's own and cannot be set here. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Handed to links untouched, and never sent. */
  readonly context?: Readonly<Record<string, unknown>>;
}

/** Options of submissions. */
export interface RunOptions extends CallOptions {
  /**
   * Lets an empty `input` through. The service accepts one, but its workers never report such a job, which ends as
   * FAILED after two attempts of some 40 seconds each.
   * @defaultValue false
   */
  readonly allowEmptyInput?: boolean;
}

/** Options of `Endpoint.watch`; all durations in milliseconds. */
export interface WatchOptions extends CallOptions {
  /**
   * A fixed delay after each answer, as the greatest age a snapshot may reach; `5000` is the interval that the RunPod
   * documentation shows. Takes precedence over `poll`.
   * @defaultValue none: `poll` decides
   */
  readonly every?: number;
  /**
   * Decides the delay after each answer.
   * @defaultValue a tenth of the job's age, within 0.5 – 5 s, ± 15 %
   */
  readonly poll?: PollPolicy;
  /**
   * How long the service may hold each read of a job that runs, 1 000 – 300 000: by `/status-sync`, which RunPod no longer
   * documents. The end is then told at once, and other news as late as that. An endpoint that does not hold its answers is
   * read as if this were not given, for ten minutes from then; so is a job with `every` or `poll`, or beyond the 400 that
   * may be held at once.
   * @defaultValue none: no read is held
   */
  readonly longPoll?: number;
  /**
   * How long reads may fail in a row before their error goes through, counted from the last good answer.
   * @defaultValue 300 000
   */
  readonly outage?: number;
}

/** Options of `Endpoint.runSync`; all durations in milliseconds. */
export interface SyncOptions extends RunOptions, WatchOptions {
  /**
   * How long the service holds its answer for the job to end, 1 000 – 300 000. The job is watched from then on.
   * @defaultValue 90 000, set by the service
   */
  readonly wait?: number;
}

/** Options of `Endpoint.stream`; all durations in milliseconds. */
export interface StreamOptions extends CallOptions {
  /**
   * How long the service holds an answer while there is no chunk, 1 000 – 300 000.
   * @defaultValue 10 000, set by the service
   */
  readonly wait?: number;
  /**
   * What to do when an answer was lost that may have carried chunks. `hold` keeps what follows back until the job is
   * over, then fills the gap from the job's output where that proves to hold everything (a worker with
   * `return_aggregate_stream`), or errors with `StreamGapError`; `mark` goes on live and says so in `activity$`; `error`
   * errors at once.
   * @defaultValue `'hold'`
   */
  readonly onGap?: GapPolicy;
  /**
   * How long reads may fail in a row before their error goes through, counted from the last good answer.
   * @defaultValue 300 000
   */
  readonly outage?: number;
}

/** Options of `Endpoint.watchHealth`; all durations in milliseconds. */
export interface WatchHealthOptions extends Pick<CallOptions, 'timeout' | 'signal'> {
  /**
   * From one answer to the next read. Watchers with the same `every` share their reads.
   * @defaultValue 5 000
   */
  readonly every?: number;
  /**
   * How long reads may fail in a row before their error goes through, counted from the last good answer.
   * @defaultValue 300 000
   */
  readonly outage?: number;
}

/** What `Endpoint.request` sends. */
export interface RawRequest extends CallOptions {
  /** @defaultValue `POST` with a body, else `GET` */
  readonly method?: TransportRequest['method'];
  /** Sent as JSON; a string is sent as it is. */
  readonly body?: unknown;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
}
