import { bodyMessage } from '../protocol/message.js';
import { parseRetryAfter } from '../protocol/parseRetryAfter.js';
import { statusRule, type StatusRule } from '../protocol/statusRules.js';
import { clip } from '../protocol/text.js';
import type { Reply } from '../types/Transport.js';
import { AuthenticationError } from './AuthenticationError.js';
import { BodyTooLargeError } from './BodyTooLargeError.js';
import { HttpError } from './HttpError.js';
import { NotFoundError } from './NotFoundError.js';
import { RateLimitError } from './RateLimitError.js';
import type { ErrorContext } from './RunpodError.js';

/** What {@link toHttpError} needs besides the answer. */
export interface ToHttpErrorOptions {
  /** Milliseconds since the epoch, to read a `Retry-After` that is a date. */
  readonly now: number;
  /** Takes API keys out of a text. */
  readonly redact: (text: string) => string;
  /** Whether the message says what can be done about the error. */
  readonly advise: boolean;
  /** Whether the answer is not the service's, such as the page of a gateway: the service itself may answer otherwise. */
  readonly foreign?: boolean;
}

const classes = {
  http: HttpError,
  authentication: AuthenticationError,
  not_found: NotFoundError,
  rate_limit: RateLimitError,
  body_too_large: BodyTooLargeError,
} as const satisfies Readonly<Record<StatusRule['code'], typeof HttpError>>;

/** The longest id of a request, and the longest address of a redirect, in characters. */
const MAX_ID = 100;
const MAX_ADDRESS = 200;

/** The error for an answer that is not 2xx. */
export function toHttpError(
  { status, headers, text }: Reply,
  context: ErrorContext,
  { now, redact, advise, foreign = false }: ToHttpErrorOptions,
): HttpError {
  const { code: statusCode, retryable } = statusRule(status);
  const words = bodyMessage(redact(text)) ?? '';
  const requestId = headers['x-request-id'] ?? headers['cf-ray'];
  const retryAfter = parseRetryAfter(headers, now);
  // RunPod refuses a large body with a 400 as well.
  const code = statusCode === 'http' && /max body size/i.test(words) ? 'body_too_large' : statusCode;
  const remedy = advise && (foreign ? FOREIGN : remedyFor(code, { retryable, retryAfter, location: headers.location }));
  const said = words && `: ${words}`;
  const advice = remedy ? `; ${remedy}` : '';
  const message = `${context.operation} on endpoint ${context.endpointId ?? '?'} was answered ${status}${said}${advice}`;
  return new classes[code](redact(message), context, {
    status,
    requestId: requestId && clip(redact(requestId), MAX_ID),
    retryAfter,
    retryable: retryable || foreign,
  });
}

/** What the caller can do about a page of a gateway. */
const FOREIGN = 'this is no answer of RunPod: check the option baseUrl, and what is between this machine and RunPod';

/** What the caller can do about an error; `undefined` where nothing is known to help. */
function remedyFor(
  code: StatusRule['code'],
  given: {
    readonly retryable: boolean;
    readonly retryAfter: number | undefined;
    readonly location: string | undefined;
  },
): string | undefined {
  const { retryable, retryAfter, location } = given;
  switch (code) {
    case 'authentication':
      return 'check the API key (option apiKey or RUNPOD_API_KEY) and what it may do';
    case 'not_found':
      return "check the endpoint id, that the API key belongs to the endpoint's account, and the option baseUrl if it is set";
    case 'rate_limit':
      return retryAfter === undefined ? 'send less, or later' : `try again in ${Math.ceil(retryAfter / 1000)} s`;
    case 'body_too_large':
      return 'store large data elsewhere and send a URL';
    case 'http': {
      // The address without its query, fragment and user, which may hold secrets.
      const target = location && clip(location.replace(/[?#].*/s, '').replace(/\/\/[^/@]*@/, '//'), MAX_ADDRESS);
      if (target) return `redirects, here to ${target}, are not followed: check the option baseUrl`;
      return retryable ? 'try again later' : undefined;
    }
  }
}
