import { bodyMessage } from '../protocol/message.js';
import { retryAfterOf } from '../protocol/retryAfter.js';
import type { Reply } from '../types/Transport.js';
import { AuthenticationError } from './AuthenticationError.js';
import { BodyTooLargeError } from './BodyTooLargeError.js';
import { HttpError, type HttpErrorDetails } from './HttpError.js';
import { NotFoundError } from './NotFoundError.js';
import { RateLimitError } from './RateLimitError.js';
import type { ErrorContext } from './RunpodError.js';

/** The error for an answer that is not 2xx, with what can be done about it. */
export function toHttpError(
  reply: Reply,
  context: ErrorContext,
  now: number,
  redact: (text: string) => string,
): HttpError {
  const { status, headers } = reply;
  const requestId = headers['x-request-id'] ?? headers['cf-ray'];
  const retryAfter = retryAfterOf(headers, now);
  const details: HttpErrorDetails = {
    status,
    ...(requestId && { requestId }),
    ...(retryAfter !== undefined && { retryAfter }),
  };
  const words = bodyMessage(reply.text);
  const [type, remedy] = kindOf(reply, words, retryAfter);
  return new type(
    redact(
      `${context.operation} on endpoint ${context.endpointId ?? '?'} was answered ${status}${words ? `: ${words}` : ''}. ${remedy}`,
    ),
    details,
    context,
  );
}

function kindOf({ status, headers }: Reply, words: string | undefined, retryAfter: number | undefined) {
  if (status === 401 || status === 403) {
    return [AuthenticationError, 'Check the API key (option apiKey or RUNPOD_API_KEY) and what it may do.'] as const;
  }
  if (status === 404)
    return [NotFoundError, 'Check the endpoint id, and that the API key belongs to its account.'] as const;
  if (status === 429) {
    return [
      RateLimitError,
      `Send less, or try again ${retryAfter === undefined ? 'later' : `in ${Math.ceil(retryAfter / 1000)} s`}.`,
    ] as const;
  }
  if (status === 413 || /max body size/i.test(words ?? '')) {
    return [BodyTooLargeError, 'Store large data elsewhere and send a URL.'] as const;
  }
  if (status >= 300 && status < 400) {
    const target = headers.location?.replace(/[?#].*/, '').replace(/\/\/[^/@]*@/, '//');
    return [
      HttpError,
      `Redirects are not followed${target ? ` (this one leads to ${target})` : ''}: check the option baseUrl.`,
    ] as const;
  }
  return [HttpError, status >= 500 ? 'The service has a problem; try again later.' : 'Check the request.'] as const;
}
