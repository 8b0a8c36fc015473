import type { Observable } from 'rxjs';
import type { Issue } from '../protocol/checks.js';
import type { Parsed } from '../protocol/Parsed.js';
import type { CallOrigin } from '../types/Activity.js';
import type { JobSnapshot } from '../types/JobSnapshot.js';
import type { Operation } from '../types/Operation.js';
import type { Reply, TransportRequest } from '../types/Transport.js';
import type { CallState } from './CallState.js';

/**
 * What ends a call besides its subscriber.
 *
 * - `caller`: the call's own `timeout` and `signal`, and the client's closing.
 * - `job`: the `Job` that makes the call watches over its own timeout, signal and closing.
 * - `shared-read`: several subscribers wait for the answer. Each has a timeout and a signal of its own.
 * - `abandoned-cancel`: nothing. The call goes on after the client is closed, and takes any id that the service gave.
 */
export type CallOwnership = 'caller' | 'job' | 'shared-read' | 'abandoned-cancel';

/** One API call, before it is an HTTP request. */
export interface ApiCall<T> {
  readonly operation: Operation;
  /** @defaultValue as the operation's row says */
  readonly method?: TransportRequest['method'];
  readonly jobId?: string;
  /** The caller's own name for the job. */
  readonly tag?: string | undefined;
  /** The call of a method that it is made for. */
  readonly origin?: CallOrigin | undefined;
  /** Whether the call goes before others of its operation that wait for their turn. */
  readonly urgent?: boolean | undefined;
  /** Whether the call is sent once, whatever comes: where it fails, another takes its place at once. */
  readonly once?: boolean | undefined;
  /** @defaultValue `caller` */
  readonly ownership?: CallOwnership | undefined;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly body?: string;
  /** The webhook URL of a submission: what it is known by to the notices that come to it, and secret in texts. */
  readonly webhook?: string | undefined;
  /** How long the server may hold the answer back, in milliseconds; the attempt's timeout is longer by a margin. */
  readonly holdFor?: number;
  /** What is wrong with what the caller gave. With any issue, nothing is sent. */
  readonly issues?: readonly Issue[];
  /**
   * Called for each attempt, numbered from 1, right before it is sent. The attempt is sent once it completes, and not at all
   * where it errors.
   */
  readonly beforeSend?: ((attempt: number) => Observable<never>) | undefined;
  /** Called at each subscription, with the state of that call. */
  readonly onStart?: (state: CallState) => void;
  /**
   * Reads a 2xx answer.
   * @defaultValue reads a job; then an answer of 4xx may be a job as well
   */
  readonly read?: (reply: Reply) => Parsed<T>;
}

/** A call whose answer is a job. */
export type JobCall = Omit<ApiCall<JobSnapshot>, 'read'>;

/** The parts of a call that its caller adds to the options of the user. */
export type CallMeta = Pick<ApiCall<unknown>, 'tag' | 'origin' | 'urgent' | 'ownership' | 'onStart' | 'beforeSend'>;
