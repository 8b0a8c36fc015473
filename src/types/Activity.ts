import type { TerminalSnapshot } from './JobSnapshot.js';
import type { Operation } from './Operation.js';

/**
 * A call of a method of an endpoint, such as `job` or `status`: where everything comes from that the client does for it, later
 * and elsewhere. One object stands for the call, so it can be the key of a `WeakMap`.
 */
export interface CallOrigin {
  /** The method: `job`, `attach`, `run`, `runSync`, `runToEnd`, `status`, … */
  readonly method: string;
  readonly endpointId: string;
  /** The job, where the call names it. */
  readonly jobId?: string | undefined;
  readonly tag?: string | undefined;
  /** The call on whose behalf this one is made: that of a pipeline, which makes its jobs when there is room. */
  readonly caller?: CallOrigin | undefined;
}

/** The members of every activity. */
export interface ActivityBase {
  /** When it happened, in milliseconds since 1970; for a client with a scheduler of its own, `now()` of that. */
  readonly at: number;
  readonly endpointId: string;
  readonly operation: Operation;
  readonly jobId?: string | undefined;
  readonly tag?: string | undefined;
  /** The number of the call, unique within the client. All activity of one call has the same number. */
  readonly call: number;
  /**
   * The call of a method that this is done for: for reads and cancels of a job the one that submitted it, or attached to it,
   * if this client knows. Only while `calls$` is subscribed to.
   */
  readonly origin?: CallOrigin | undefined;
}

/** A request is handed to the transport. */
export interface RequestActivity extends ActivityBase {
  readonly type: 'request';
  readonly method: string;
  /** The path after the base URL, without a query. */
  readonly path: string;
  /** 1 for the first time that this call is sent. */
  readonly attempt: number;
}

/** An HTTP answer came, whatever its status. */
export interface ReplyActivity extends ActivityBase {
  readonly type: 'reply';
  readonly status: number;
  /** Milliseconds since the request. */
  readonly duration: number;
  readonly attempt: number;
}

/** An attempt ended without an answer. */
export interface FailureActivity extends ActivityBase {
  readonly type: 'failure';
  readonly message: string;
  readonly duration: number;
  readonly attempt: number;
}

/** A request was aborted on the wire, because every subscriber to its answer has unsubscribed. */
export interface AbortActivity extends ActivityBase {
  readonly type: 'abort';
  readonly duration: number;
  readonly attempt: number;
}

/** The call will be sent again. */
export interface RepeatActivity extends ActivityBase {
  readonly type: 'repeat';
  /** The pause before the next attempt, in milliseconds. */
  readonly delay: number;
  readonly attempt: number;
  /** Why the attempt failed: the HTTP status with its message, or the message of the failure. */
  readonly reason: string;
}

/** The call waits for its turn within the endpoint's limits. */
export interface WaitActivity extends ActivityBase {
  readonly type: 'wait';
  /** How many calls of this operation wait, this one included. */
  readonly waiting: number;
}

/** The client began to cancel a job that was unsubscribed from, or the cancel has an outcome. */
export interface CancelActivity extends ActivityBase {
  readonly type: 'cancel';
  readonly jobId: string;
  /**
   * - `started`: the client begins to cancel the job.
   * - `cancelled`: the service cancelled it.
   * - `finished`: the job was over, or the service does not know it any more.
   * - `abandoned`: the client gave up; the job may still run, and cost.
   * - `running`: the job was to be cancelled only while it was queued, and a worker has it.
   */
  readonly outcome: 'started' | 'cancelled' | 'finished' | 'abandoned' | 'running';
}

/**
 * The answer to a submission was lost after its subscribers had left. The job may run, and cost; `settled()` and `close()`
 * report it, too.
 */
export interface LostActivity extends ActivityBase {
  readonly type: 'lost';
  /** When the submission was sent, in milliseconds since the epoch. */
  readonly submittedAt: number;
  /** What became of its answer, in words. */
  readonly reason: string;
}

/** Chunks of a stream may be missing, because a read failed that may have taken some. */
export interface GapActivity extends ActivityBase {
  readonly type: 'gap';
  readonly jobId: string;
  /** How many chunks were delivered before the gap. */
  readonly delivered: number;
}

/** A submission was accepted: the job has an id. */
export interface SubmittedActivity extends ActivityBase {
  readonly type: 'submitted';
  readonly jobId: string;
}

/** A call has failed, and is not repeated any more. Its subscribers, if any are left, get the error. */
export interface ErrorActivity extends ActivityBase {
  readonly type: 'error';
  /** The code of the error, such as `rate_limit`. */
  readonly code: string;
  /** On submissions and commands: whether the server can have acted on the call. */
  readonly accepted?: 'no' | 'unknown' | undefined;
}

/** The client has learned that a job is over, by an answer or a notice. Once for each run of a job. */
export interface EndedActivity extends ActivityBase {
  readonly type: 'ended';
  readonly jobId: string;
  readonly status: TerminalSnapshot['status'];
  /** How long the job waited in the queue, in milliseconds, where the service says so. */
  readonly queueTime?: number | undefined;
  /** How long the job ran, in milliseconds, where the service says so. */
  readonly executionTime?: number | undefined;
}

/** A job that goes on is followed no more: its views have left it without a cancel, or reading it failed. */
export interface DetachedActivity extends ActivityBase {
  readonly type: 'detached';
  readonly jobId: string;
}

/** What a client does on the wire, for logs, metrics and traces. Open by contract: a later version may add types. */
export type Activity =
  | RequestActivity
  | ReplyActivity
  | FailureActivity
  | AbortActivity
  | RepeatActivity
  | WaitActivity
  | CancelActivity
  | LostActivity
  | GapActivity
  | SubmittedActivity
  | ErrorActivity
  | EndedActivity
  | DetachedActivity;
