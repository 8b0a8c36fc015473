import type { ObservableInput } from 'rxjs';
import type { PollPolicy } from '../types/PollPolicy.js';
import type { GapPolicy } from '../types/GapPolicy.js';
import type { JobRequest } from '../types/JobRequest.js';
import type { CallOptions } from '../types/callOptions.js';

/** What leaving a job does to it on the server. */
export type LeavePolicy = 'cancel' | 'cancel-if-queued' | 'detach';

/** How long a job may take, in milliseconds. */
export interface JobTimeout {
  /** From the first subscription until a worker has taken the job. */
  readonly queue?: number;
  /**
   * Of execution. Also sent to the service as `executionTimeout`, which ends the job a few seconds late; the client
   * steps in 15 s late.
   */
  readonly execution?: number;
  /** From the first subscription, or from `submittedAt` of the reference, until the job is over. */
  readonly total?: number;
}

/** Options of a {@link Job}; all durations in milliseconds. */
export interface JobOptions<I extends object = Record<string, unknown>> extends Omit<CallOptions, 'timeout'> {
  /**
   * What is done to the job when it is left, that is, when nobody subscribes to any of its owning views any more and it
   * is not known to be over: cancelled, cancelled if no worker has taken it yet, or left running.
   * @defaultValue `'cancel'` for a job of this client's own, `'detach'` for one that was attached to
   */
  readonly onUnsubscribe?: LeavePolicy;
  /**
   * How long nobody may look before the job counts as left; at least one macrotask.
   * @defaultValue 0
   */
  readonly grace?: number;
  /**
   * How long the job may take; a number is `total`. Once it is over, the job is read once more, and cancelled unless it
   * has ended; the views then error with `JobDeadlineError`.
   * @defaultValue no limit of the client's; the service has its own (`policy`)
   */
  readonly timeout?: number | JobTimeout;
  /**
   * How long a deadline waits for the last word of the service.
   * @defaultValue 5 000
   */
  readonly settle?: number;
  /**
   * A fixed delay after each answer. Takes precedence over `poll`.
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
   * How long reads may fail in a row before their error goes through, counted from the last good answer. That error does
   * not leave the job: the next subscription goes on with it.
   * @defaultValue 300 000
   */
  readonly outage?: number;
  /**
   * Whether `events$` reads the job's stream, too. `chunks$` always does.
   * @defaultValue false
   */
  readonly stream?: boolean;
  /**
   * What to do when an answer was lost that may have carried chunks; see {@link GapPolicy}.
   * @defaultValue `'hold'`
   */
  readonly onGap?: GapPolicy;
  /**
   * How many chunks are kept for who comes late, the newest. With all of them kept, the stream once begun is read on
   * while anybody owns the job; otherwise only while somebody wants chunks.
   * @defaultValue `'all'`
   */
  readonly replayChunks?: number | 'all';
  /** A name of your own for the job: on its requests' activity, its errors, and its reference. */
  readonly tag?: string;
  /**
   * Lets an empty `input` through; see `RunOptions`.
   * @defaultValue false
   */
  readonly allowEmptyInput?: boolean;
  /**
   * Called before the job is submitted, once; what it gives is submitted instead. A place to write down that a
   * submission is on its way, or to add a webhook's token. Where it errors, nothing is sent.
   */
  beforeSubmit?(request: JobRequest<I>): ObservableInput<JobRequest<I>>;
}
