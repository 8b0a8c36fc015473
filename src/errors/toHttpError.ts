import { bodyMessage } from '../protocol/message.js';
import { parseRetryAfter } from '../protocol/parseRetryAfter.js';
import type { Reply } from '../types/Transport.js';
import { AuthenticationError } from './AuthenticationError.js';
import { BodyTooLargeError } from './BodyTooLargeError.js';
import { HttpError } from './HttpError.js';
import { NotFoundError } from './NotFoundError.js';
import { RateLimitError } from './RateLimitError.js';
import type { ErrorContext } from './RunpodError.js';

/** The error for an answer that is not 2xx, with what can be done about it. */
export function toHttpError(
  { status, headers, text }: Reply,
  context: ErrorContext,
  now: number,
  redact: (text: string) => string,
  advise: boolean,
): HttpError {
  const words = bodyMessage(redact(text)) ?? '';
  const requestId = headers['x-request-id'] ?? headers['cf-ray'];
  const retryAfter = parseRetryAfter(headers, now);
  const target = headers.location?.replace(/[?#].*/, '').replace(/\/\/[^/@]*@/, '//');
  const retryable = status === 408 || status === 429 || status >= 500;
  const [type, remedy] =
    status === 401 || status === 403
      ? [AuthenticationError, 'check the API key (option apiKey or RUNPOD_API_KEY) and what it may do']
      : status === 404
        ? [NotFoundError, "check the endpoint id, and that the API key belongs to the endpoint's account"]
        : status === 429
          ? [
              RateLimitError,
              retryAfter === undefined ? 'send less, or later' : `try again in ${Math.ceil(retryAfter / 1000)} s`,
            ]
          : status === 413 || /max body size/i.test(words)
            ? [BodyTooLargeError, 'store large data elsewhere and send a URL']
            : [
                HttpError,
                target
                  ? `redirects, here to ${target}, are not followed: check the option baseUrl`
                  : retryable && 'try again later',
              ];
  const advice = remedy && advise ? `; ${remedy}` : '';
  return new type(
    redact(
      `${context.operation} on endpoint ${context.endpointId ?? '?'} was answered ${status}${words && `: ${words}`}${advice}`,
    ),
    context,
    { status, requestId: requestId && redact(requestId), retryAfter, retryable },
  );
}
