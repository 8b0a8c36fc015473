import type { AbortedError } from './AbortedError.js';
import type { AuthenticationError } from './AuthenticationError.js';
import type { BodyTooLargeError } from './BodyTooLargeError.js';
import type { BufferOverflowError } from './BufferOverflowError.js';
import type { ClientClosedError } from './ClientClosedError.js';
import type { ConfigurationError } from './ConfigurationError.js';
import type { ConnectionError } from './ConnectionError.js';
import type { HookError } from './HookError.js';
import type { HttpError } from './HttpError.js';
import type { JobCancelledError } from './JobCancelledError.js';
import type { JobDeadlineError } from './JobDeadlineError.js';
import type { JobExpiredError } from './JobExpiredError.js';
import type { JobFailedError } from './JobFailedError.js';
import type { JobNotFoundError } from './JobNotFoundError.js';
import type { JobOutputError } from './JobOutputError.js';
import type { JobTimedOutError } from './JobTimedOutError.js';
import type { NotFoundError } from './NotFoundError.js';
import type { RateLimitError } from './RateLimitError.js';
import type { RequestTimeoutError } from './RequestTimeoutError.js';
import type { ResponseError } from './ResponseError.js';
import { RunpodError } from './RunpodError.js';
import type { SkippedError } from './SkippedError.js';
import type { StreamGapError } from './StreamGapError.js';
import type { StreamInUseError } from './StreamInUseError.js';
import type { SubmissionUnknownError } from './SubmissionUnknownError.js';
import type { ValidationError } from './ValidationError.js';

/** The class of each code. */
export interface ErrorsByCode {
  configuration: ConfigurationError;
  validation: ValidationError;
  http: HttpError;
  authentication: AuthenticationError;
  not_found: NotFoundError;
  rate_limit: RateLimitError;
  body_too_large: BodyTooLargeError;
  connection: ConnectionError;
  request_timeout: RequestTimeoutError;
  aborted: AbortedError;
  client_closed: ClientClosedError;
  response: ResponseError;
  submission_unknown: SubmissionUnknownError;
  job_failed: JobFailedError;
  job_cancelled: JobCancelledError;
  job_timed_out: JobTimedOutError;
  job_deadline: JobDeadlineError;
  job_expired: JobExpiredError;
  job_not_found: JobNotFoundError;
  job_output: JobOutputError;
  stream_in_use: StreamInUseError;
  stream_gap: StreamGapError;
  buffer_overflow: BufferOverflowError;
  hook: HookError;
  skipped: SkippedError;
}

/**
 * Whether a value is an error of this library; with a code, whether it is the error with this code:
 *
 * ```ts
 * catchError((error: unknown) => {
 *   if (isRunpodError(error, 'job_failed')) return of(fallback(error.snapshot.error));
 *   throw error;
 * });
 * ```
 */
export function isRunpodError(value: unknown): value is RunpodError;
export function isRunpodError<K extends keyof ErrorsByCode>(value: unknown, code: K): value is ErrorsByCode[K];
export function isRunpodError(value: unknown, code?: string): boolean {
  return value instanceof RunpodError && (code === undefined || value.code === code);
}
