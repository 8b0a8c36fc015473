import type { ObservableInput } from 'rxjs';
import type { JobRef } from '../types/JobRef.js';
import type { JobRequest } from '../types/JobRequest.js';
import type { RunOptions, StreamOptions, WatchOptions } from '../types/callOptions.js';

/** What is done to a job on the server when it is released. */
export type LeavePolicy = 'cancel' | 'cancel-if-queued' | 'detach';

/** How long a job may take, in milliseconds. */
export interface JobTimeout {
  /** From the first subscription until a worker has taken the job. */
  readonly queue?: number;
  /**
   * From when a worker was first seen to run the job until the job is over. Also sent to the service as
   * `executionTimeout`, which ends the job a few seconds late; the client steps in 15 s late.
   */
  readonly execution?: number;
  /** From the first subscription, or from `submittedAt` of the reference, until the job is over. */
  readonly total?: number;
}

/**
 * Options of a {@link Job}; all durations in milliseconds.
 *
 * The error after an `outage` is not the job's end: the next subscription goes on with the same job. With
 * `onGap: 'mark'`, `events$` emits a `gap` event where chunks may be missing.
 */
export interface JobOptions<I extends object = Record<string, unknown>>
  extends Omit<WatchOptions, 'timeout'>, Pick<StreamOptions, 'onGap'>, Pick<RunOptions, 'allowEmptyInput'> {
  /**
   * What is done to the job on the server when no owning view is subscribed to any more and the job is not known to be
   * over: it is cancelled, cancelled if no worker has taken it yet, or left running.
   * @defaultValue `'cancel'` for a job that this client submits, `'detach'` for a job that was attached to
   */
  readonly onUnsubscribe?: LeavePolicy;
  /**
   * How long the job may be without a subscription to an owning view before `onUnsubscribe` takes effect; at least one
   * macrotask.
   * @defaultValue 0
   */
  readonly grace?: number;
  /**
   * How long the job may take; a number is `total`. Once the time is over, the job is read once more, and cancelled
   * unless it has ended; the views then error with `JobDeadlineError`.
   * @defaultValue no limit by the client; the service has its own (`policy`)
   */
  readonly timeout?: number | JobTimeout;
  /**
   * How long the service may take for its last answers after a deadline.
   * @defaultValue 5 000
   */
  readonly settle?: number;
  /**
   * Whether `events$` reads the job's stream, too. `chunks$` always does.
   * @defaultValue false
   */
  readonly stream?: boolean;
  /**
   * How many chunks are kept for subscribers that come late, the newest. Where all chunks are kept, a stream that was
   * begun is read on while any owning view is subscribed to; otherwise only while `chunks$` is, or `events$` with
   * `stream`.
   * @defaultValue `'all'`
   */
  readonly replayChunks?: number | 'all';
  /** A name of your own for the job: on its requests' activity, its errors, and its reference. */
  readonly tag?: string;
  /**
   * May change the request, to add a webhook's token for example: the request that it gives is submitted instead. Called
   * before the submission waits for its turn within the limits and for the key, and again where a submission was withdrawn
   * unsent. So it does not say that anything is about to be sent. Where it errors, nothing is sent.
   */
  beforeSubmit?(request: JobRequest<I>): ObservableInput<JobRequest<I>>;
  /**
   * Called when the request has its turn within the limits and its key, and nothing but sending it is left to do: for a
   * record that says that the job may exist from now on. Awaited until it completes. Called for each attempt, numbered from
   * 1: a submission is sent again where the service cannot have accepted it. Keeps its turn meanwhile, for two minutes at
   * most. Where it errors, nothing is sent, and the views error with `HookError`, `accepted: 'no'`. A job that is released
   * meanwhile is not sent, and the hook unsubscribed from.
   *
   * @param request - what is submitted
   */
  beforeSend?(request: JobRequest<I>, send: { readonly attempt: number }): ObservableInput<unknown>;
  /**
   * Called when the service has answered the submission, before any view is told: for a record of the job's reference.
   * Awaited until it completes, for two minutes at most, and goes on when the views are unsubscribed from; a cancel does not
   * wait for it. Where it errors, the views error with `HookError`, whose `ref` is the reference. The job goes on; the next
   * subscription calls the hook again. Not called for a job that was attached to.
   */
  afterSubmit?(ref: JobRef): ObservableInput<unknown>;
  /**
   * Called when the job is about to be cancelled by this client: for a record that says who has ended it. Awaited until it
   * completes, for five seconds at most. Where it errors, the job is cancelled all the same, since it costs money. May be
   * called more than once.
   */
  beforeCancel?(ref: JobRef): ObservableInput<unknown>;
}
