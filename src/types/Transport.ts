import type { Observable, ObservableInput } from 'rxjs';
import type { Operation } from './Operation.js';

/** One HTTP request, complete: what a transport needs to send and nothing else. */
export interface TransportRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'PATCH';
  /** Absolute, or relative to the page in a browser. */
  readonly url: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  /** JSON text; absent for requests without a body. */
  readonly body?: string;
  /**
   * How long this attempt may take, in milliseconds. The client unsubscribes when it is over, so a transport needs no
   * timer of its own; it must only not give up earlier.
   */
  readonly timeout: number;
  readonly operation: Operation;
}

/** An HTTP answer, whatever its status. */
export interface Reply {
  readonly status: number;
  /** Lower-case names; several values of one name are joined with `, `. */
  readonly headers: Readonly<Record<string, string>>;
  /** The body as text; empty when there was none. */
  readonly text: string;
}

/**
 * Sends a request and emits its answer once. This is all that runpod-rx asks of an HTTP library.
 *
 * - Cold: each subscription sends once. Unsubscribing aborts the request on the wire.
 * - An answer that is not 2xx is a {@link Reply}, not an error. Redirects are answers: they are not followed.
 * - An error may carry `phase`: `'connect'` says that no connection came about, so that the server cannot have seen the
 *   request; anything else counts as `'sent'`.
 */
export interface Transport {
  (request: TransportRequest): Observable<Reply>;
  /** Closes pooled connections; called by `Runpod.close()`. */
  close?(): ObservableInput<unknown>;
}

/** How far a request had come when the network failed. */
export type Phase = 'connect' | 'sent';
