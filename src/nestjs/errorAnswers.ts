import type { LoggerService } from '@nestjs/common';
import { isRunpodError, ValidationError } from '../index.js';

/** What a client of the application is told of an error. */
export interface ErrorBody {
  /** The HTTP status. */
  readonly statusCode: number;
  /** What happened, in general words: nothing of what the service, a worker or the network said. */
  readonly message: string;
  /** The error's code, such as `job_failed`. */
  readonly code: string;
  /** On submissions: whether a job can have been accepted. */
  readonly accepted?: 'no' | 'unknown' | undefined;
  /** The job that the error is about. */
  readonly jobId?: string | undefined;
  /** What is wrong with the job's input, or its id. */
  readonly issues?: readonly RequestIssue[] | undefined;
}

/** What is wrong with one field of a request. */
export interface RequestIssue {
  /** Such as `input.prompt`. */
  readonly field: string;
  readonly rule: string;
}

type Answer = readonly [status: number, message: string];

const INTERNAL: Answer = [500, 'Internal server error'];

/**
 * Each code's HTTP status. What the service says to this application is no answer to the application's own client: that its
 * key is refused is no 401 for somebody who has sent none.
 */
export const ERROR_ANSWERS: Readonly<Record<string, Answer>> = {
  runpod: INTERNAL,
  configuration: INTERNAL,
  validation: [400, 'The request is not valid'],
  http: [502, 'The service answered with an error'],
  authentication: [502, 'The service refused the request'],
  not_found: [502, 'The service does not know the endpoint'],
  rate_limit: [503, 'The service is busy'],
  body_too_large: [413, 'The request is too large'],
  connection: [502, 'The service cannot be reached'],
  request_timeout: [504, 'The service did not answer in time'],
  aborted: [409, 'The job was given up'],
  client_closed: [503, 'The server is shutting down'],
  response: [502, 'The service gave no usable answer'],
  submission_unknown: [502, 'The answer of the service was lost: the job may have been accepted'],
  job_failed: [502, 'The job failed'],
  job_cancelled: [409, 'The job was cancelled'],
  job_timed_out: [504, 'The job was not run in time'],
  job_deadline: [504, 'The job took too long'],
  job_expired: [410, 'The job is not kept any more'],
  job_not_found: [404, 'There is no such job'],
  job_output: [502, 'The job gave an unexpected output'],
  stream_in_use: [409, 'The job is being streamed already'],
  stream_gap: [502, 'Parts of the output were lost'],
  hook: INTERNAL,
  skipped: [409, 'The job was not run: it has ended before'],
  buffer_overflow: [503, 'The server is busy'],
};

/** What is told of an error, of whatever kind. */
export function errorBody(error: unknown): ErrorBody {
  if (!isRunpodError(error)) return { statusCode: 500, message: INTERNAL[1], code: 'internal' };
  const { code, accepted, jobId } = error;
  const issues = error instanceof ValidationError ? clientIssues(error) : undefined;
  // Any other option that is wrong is this application's own mistake. And a later version may have another code.
  const isOurs = issues?.length === 0;
  const [statusCode, message] = (isOurs ? undefined : ERROR_ANSWERS[code]) ?? INTERNAL;
  return { statusCode, message, code, accepted, jobId, issues: isOurs ? undefined : issues };
}

/** {@link errorBody} of an error, which is logged where it is the server's: the client is told too little to report it. */
export function loggedBody(error: unknown, logger: LoggerService): ErrorBody {
  const body = errorBody(error);
  const isFailure = body.statusCode >= 500 && body.code !== 'client_closed';
  if (isFailure) logger.error(error instanceof Error ? (error.stack ?? error.message) : String(error));
  return body;
}

/** What is wrong with what clients send: inputs, and ids of jobs. What was given is left out: the client knows it. */
function clientIssues({ issues }: ValidationError): readonly RequestIssue[] {
  return issues.filter(({ field }) => /^(input|body|id|ref)\b/.test(field)).map(({ field, rule }) => ({ field, rule }));
}
