import type { Observable } from 'rxjs';
import type { OperationKind } from './Operation.js';
import type { Reply, TransportRequest } from './Transport.js';

/** A request on its way through the links, with what they may want to know about it. */
export interface CallRequest extends TransportRequest {
  readonly endpointId: string;
  readonly kind: OperationKind;
  readonly jobId?: string;
  readonly tag?: string;
  /** `CallOptions.context` of the call, untouched: a bag in which an application speaks to its own links. */
  readonly context: Readonly<Record<string, unknown>>;
}

/** Sends a request on to the next link, and in the end to the transport. */
export type Handler = (request: CallRequest) => Observable<Reply>;

/**
 * A step between an endpoint and the transport: sees each request before it is sent, and its answer.
 * User links run once per call, before the key is added and before any repeat.
 *
 * ```ts
 * const traced: Link = (request, next) =>
 *   next({ ...request, headers: { ...request.headers, traceparent: currentTrace() } });
 * ```
 */
export type Link = (request: CallRequest, next: Handler) => Observable<Reply>;
