import { HttpError, SubmissionUnknownError, isRunpodError, type RunpodError } from '../../index.js';
import { errorAnswer } from '../jsonAnswer.js';
import { QuotaRefusal } from './QuotaRefusal.js';
import { Refusal } from './Refusal.js';

/** "Failed Dependency": nothing was sent. Among the statuses from 500 on there is none that says so. */
export const NOT_SENT = 424;

/**
 * The answer for an error of the server's own client. What matters to a page that submits is whether the job can have been
 * accepted: a 4xx says that it was not.
 *
 * @param hide - takes out of the client's words what a page must not read
 */
export function errorResponse(error: unknown, hide = (text: string) => text): Response {
  if (error instanceof QuotaRefusal)
    return errorAnswer(429, error.message, { 'retry-after': String(error.retryAfter) });
  if (error instanceof Refusal) return errorAnswer(error.status, error.message);
  if (!isRunpodError(error)) return errorAnswer(500, 'internal error');
  const retryAfter = error instanceof HttpError ? error.retryAfter : undefined;
  const headers: Record<string, string> =
    retryAfter === undefined ? {} : { 'retry-after': String(Math.ceil(retryAfter / 1000)) };
  const isMissing = error.code === 'job_not_found' || error.code === 'job_expired';
  // Not the error's own words: they name the endpoint, and a page would take the endpoint for what is missing.
  return isMissing ? noSuchJob() : errorAnswer(statusOf(error), hide(error.message), headers);
}

/** The answer about a job that is not there, or that is another user's. */
export function noSuchJob(): Response {
  return errorAnswer(404, 'job not found');
}

function statusOf(error: RunpodError): number {
  if (error instanceof SubmissionUnknownError) return 502;
  if (error instanceof HttpError && error.status >= 400) return error.status;
  switch (error.code) {
    case 'validation':
      return 400;
    case 'request_timeout':
      return error.accepted === 'no' ? NOT_SENT : 504;
    case 'configuration':
    case 'client_closed':
    case 'connection':
    case 'aborted':
      return error.accepted === 'no' ? NOT_SENT : 502;
    default:
      return 502;
  }
}
