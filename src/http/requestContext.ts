import { ConfigurationError } from '../errors/ConfigurationError.js';
import type { ErrorContext } from '../errors/RunpodError.js';
import type { CallRequest } from '../types/Link.js';

/** What an error says of the request it happened to. */
export function requestContext(
  { operation, endpointId, jobId, tag, kind }: CallRequest,
  maybeReceived: boolean,
): ErrorContext {
  return { operation, endpointId, jobId, tag, accepted: acceptedOf(kind, maybeReceived) };
}

/** Whether the server may have accepted a call; reads are not accepted or refused. */
export function acceptedOf(kind: CallRequest['kind'], maybeReceived: boolean): ErrorContext['accepted'] {
  if (kind === 'read') return undefined;
  return maybeReceived ? 'unknown' : 'no';
}

/** The error for a request that is not sent. */
export function notSent(request: CallRequest, message: string, cause?: unknown): ConfigurationError {
  return new ConfigurationError(message, { ...requestContext(request, false), cause });
}
