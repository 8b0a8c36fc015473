import { ResponseError } from '../errors/ResponseError.js';
import { kindOf } from '../protocol/checks.js';
import type { CallRequest } from '../types/Link.js';
import type { Reply } from '../types/Transport.js';
import { requestContext } from './requestContext.js';

/** An answer as a transport or a link gives it, with headers at least empty; `undefined` where it is no answer. */
export function wholeReply(given: unknown): Reply | undefined {
  const { status, text, headers } = Object(given) as Partial<Reply>;
  if (!Number.isInteger(status) || typeof text !== 'string') return undefined;
  return headers ? (given as Reply) : { status: status as number, text, headers: {} };
}

/** The error for what a transport or a link gives in place of an answer. A read that gets it is made again later. */
export function noReply(request: CallRequest, source: string, given: unknown): ResponseError {
  return new ResponseError(
    `${request.operation} on endpoint ${request.endpointId}: ${source} gave ${kindOf(given)}, not an answer with a number as its status and a text`,
    requestContext(request, true),
    { excerpt: '', retryable: true },
  );
}
