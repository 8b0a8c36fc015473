import type { Issue } from '../protocol/checks.js';
import type { Parsed } from '../protocol/Parsed.js';
import type { CallState } from './CallState.js';
import type { Operation } from '../types/Operation.js';
import type { TransportRequest } from '../types/Transport.js';
import type { Reply } from '../types/Transport.js';

/** One API call, before it is a request. */
export interface ApiCall<T> {
  readonly operation: Operation;
  /** @defaultValue as the operation's row says */
  readonly method?: TransportRequest['method'];
  readonly jobId?: string;
  /** The caller's own name for the job. */
  readonly tag?: string | undefined;
  /** Goes before others of its operation that wait for their turn. */
  readonly urgent?: boolean | undefined;
  /**
   * Who ends the call besides its subscriber: the client when it is closed, and the call's options. A job, and who waits
   * for a read that others may wait for as well, sees to that by itself. What settles a job that was left goes on, and names it by the id that the service gave it, whatever that
   * looks like.
   */
  readonly ownership?: 'job' | 'reader' | 'settling' | undefined;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly body?: string;
  /** Milliseconds that the server may hold the answer back; makes the attempt's timeout longer. */
  readonly holdFor?: number;
  /** What is wrong with what the caller gave; nothing is sent then. */
  readonly issues?: readonly Issue[];
  /** Told of each time the call is made, while it is on its way. */
  readonly onStart?: (trace: CallState) => void;
  /**
   * Reads a 2xx answer.
   * @defaultValue as a job, which an answer of 4xx then also may be
   */
  readonly read?: (reply: Reply) => Parsed<T>;
}
