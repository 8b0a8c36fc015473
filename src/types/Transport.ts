import type { Observable, ObservableInput } from 'rxjs';
import type { Operation } from './Operation.js';

/** One HTTP request: all that a transport needs to send it. */
export interface TransportRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'PATCH';
  /** Absolute, or relative to the page in a browser. */
  readonly url: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  /** JSON text; absent for requests without a body. */
  readonly body?: string;
  /**
   * How long this attempt may take, in milliseconds. The client unsubscribes after that time, so a transport needs no
   * timer of its own. It must not give up earlier.
   */
  readonly timeout: number;
  /**
   * How many bytes the answer may have once it is decoded. A transport stops reading beyond it, so that an answer does not
   * fill the memory. The client gives it with each request.
   * @defaultValue no bound
   */
  readonly maxResponseBytes?: number;
  readonly operation: Operation;
}

/** An HTTP answer, whatever its status. */
export interface Reply {
  readonly status: number;
  /** Lower-case names. Several values of one name are joined with `, `. */
  readonly headers: Readonly<Record<string, string>>;
  /** The body as text; empty when there was none. */
  readonly text: string;
}

/**
 * Sends a request and emits its answer once. The client needs nothing else of an HTTP library.
 *
 * - Cold: each subscription sends once. Unsubscribing aborts the request on the wire.
 * - An answer that is not 2xx is a {@link Reply}, not an error. Redirects are answers: they are not followed.
 * - An error may have a `phase`. `'connect'` says that there was no connection, so that the server cannot have seen the
 *   request. Everything else counts as `'sent'`.
 * - An answer that is not read is an error with a `code` and the answer's `status`: `'ERR_RESPONSE_TOO_LARGE'` beyond
 *   `maxResponseBytes`, `'ERR_UNKNOWN_CODING'` in a content coding that cannot be decoded. The client checks the length of
 *   the text as well, for transports that do not count bytes.
 */
export interface Transport {
  (request: TransportRequest): Observable<Reply>;
  /**
   * Whether a request that waits long for its answer keeps no other from being sent: each has a connection of its own, or
   * all share one by HTTP/2. Without it, the client has no more than two requests held by the service at once, since a
   * browser opens six connections to a server over HTTP/1.1.
   * @defaultValue false
   */
  multiplexes?: boolean;
  /** Closes pooled connections; called by `Runpod.close()`. */
  close?(): ObservableInput<unknown>;
}

/** How far a request had come when the network failed: no connection yet, or sent. */
export type Phase = 'connect' | 'sent';
