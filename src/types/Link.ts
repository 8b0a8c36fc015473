import type { Observable } from 'rxjs';
import type { OperationKind } from './Operation.js';
import type { Reply, TransportRequest } from './Transport.js';

/** A request as the links see it. */
export interface CallRequest extends TransportRequest {
  readonly endpointId: string;
  readonly kind: OperationKind;
  readonly jobId?: string;
  readonly tag?: string;
  /** `CallOptions.context` of the call: what an application tells its own links. The client does not use it. */
  readonly context: Readonly<Record<string, unknown>>;
}

/** Passes a request to the next link, or to the transport after the last one. */
export type Handler = (request: CallRequest) => Observable<Reply>;

/**
 * A step between an endpoint and the transport: it sees each request before it is sent, and its answer.
 * It runs once per call, before the API key is added and before any repeat.
 *
 * ```ts
 * const traced: Link = (request, next) =>
 *   next({ ...request, headers: { ...request.headers, traceparent: currentTrace() } });
 * ```
 */
export type Link = (request: CallRequest, next: Handler) => Observable<Reply>;
