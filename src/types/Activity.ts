import type { Operation } from './Operation.js';

/** What all activity has in common. */
export interface ActivityBase {
  /** `scheduler.now()` of the client, in milliseconds. */
  readonly at: number;
  readonly endpointId: string;
  readonly operation: Operation;
  readonly jobId?: string | undefined;
  readonly tag?: string | undefined;
  /** Numbers the calls of a client, so that what belongs to one call can be put together. */
  readonly call: number;
}

/** A request goes to the transport. */
export interface RequestActivity extends ActivityBase {
  readonly type: 'request';
  readonly method: string;
  /** The path after the base URL, without a query. */
  readonly path: string;
  /** 1 for the first time this call is sent. */
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

/** A request was aborted on the wire because nobody waits for its answer any more. */
export interface AbortActivity extends ActivityBase {
  readonly type: 'abort';
  readonly duration: number;
  readonly attempt: number;
}

/** The call will be sent again. */
export interface RepeatActivity extends ActivityBase {
  readonly type: 'repeat';
  /** Milliseconds until then. */
  readonly delay: number;
  readonly attempt: number;
  /** The HTTP status, or the failure's message, that is the reason. */
  readonly reason: string;
}

/** The call waits for its turn within the endpoint's limits. */
export interface WaitActivity extends ActivityBase {
  readonly type: 'wait';
  /** How many calls of this operation wait, this one included. */
  readonly waiting: number;
}

/** A job that was left is being cancelled, or that has come to its end. */
export interface CancelActivity extends ActivityBase {
  readonly type: 'cancel';
  readonly jobId: string;
  /** `running`: it was to be cancelled only while queued, and was not queued any more. */
  readonly outcome: 'started' | 'cancelled' | 'finished' | 'abandoned' | 'running';
}

/** A failed read of a stream may have taken chunks with it. */
export interface GapActivity extends ActivityBase {
  readonly type: 'gap';
  readonly jobId: string;
  /** Chunks delivered before the gap. */
  readonly delivered: number;
}

/** Everything a client does on the wire, for logs, metrics and traces. Open by contract: new types may come. */
export type Activity =
  | RequestActivity
  | ReplyActivity
  | FailureActivity
  | AbortActivity
  | RepeatActivity
  | WaitActivity
  | CancelActivity
  | GapActivity;
