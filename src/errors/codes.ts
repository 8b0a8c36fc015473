/**
 * The codes of errors and their classes. Each class states its code as a literal. A test compares this table with the
 * classes, with the type below and with `docs/errors.md`. Open by contract: a later version may add codes.
 *
 * | code | class |
 * | --- | --- |
 * | `configuration` | `ConfigurationError` |
 * | `validation` | `ValidationError` |
 * | `http` | `HttpError` |
 * | `authentication` | `AuthenticationError` |
 * | `not_found` | `NotFoundError` |
 * | `rate_limit` | `RateLimitError` |
 * | `body_too_large` | `BodyTooLargeError` |
 * | `connection` | `ConnectionError` |
 * | `request_timeout` | `RequestTimeoutError` |
 * | `aborted` | `AbortedError` |
 * | `client_closed` | `ClientClosedError` |
 * | `response` | `ResponseError` |
 * | `submission_unknown` | `SubmissionUnknownError` |
 * | `job_failed` | `JobFailedError` |
 * | `job_cancelled` | `JobCancelledError` |
 * | `job_timed_out` | `JobTimedOutError` |
 * | `job_deadline` | `JobDeadlineError` |
 * | `job_expired` | `JobExpiredError` |
 * | `job_not_found` | `JobNotFoundError` |
 * | `job_output` | `JobOutputError` |
 * | `stream_in_use` | `StreamInUseError` |
 * | `stream_gap` | `StreamGapError` |
 * | `buffer_overflow` | `BufferOverflowError` |
 * | `hook` | `HookError` |
 * | `skipped` | `SkippedError` |
 */
export type ErrorCode =
  | 'configuration'
  | 'validation'
  | 'http'
  | 'authentication'
  | 'not_found'
  | 'rate_limit'
  | 'body_too_large'
  | 'connection'
  | 'request_timeout'
  | 'aborted'
  | 'client_closed'
  | 'response'
  | 'submission_unknown'
  | 'job_failed'
  | 'job_cancelled'
  | 'job_timed_out'
  | 'job_deadline'
  | 'job_expired'
  | 'job_not_found'
  | 'job_output'
  | 'stream_in_use'
  | 'stream_gap'
  | 'buffer_overflow'
  | 'hook'
  | 'skipped'
  | (string & {});
