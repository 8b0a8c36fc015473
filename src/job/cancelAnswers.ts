import { AuthenticationError } from '../errors/AuthenticationError.js';
import { HttpError } from '../errors/HttpError.js';
import { JobExpiredError } from '../errors/JobExpiredError.js';
import { JobNotFoundError } from '../errors/JobNotFoundError.js';
import { NotFoundError } from '../errors/NotFoundError.js';
import { ResponseError } from '../errors/ResponseError.js';
import { statusRule } from '../protocol/statusRules.js';
import { clip } from '../protocol/text.js';
import type { JobSnapshot } from '../types/JobSnapshot.js';

/**
 * What the answers to a cancel, and to a read after it, prove. An error of a 4xx is `retryable` where its answer has none
 * of the service's forms, such as the page of a gateway: then it proves nothing about the key or the job.
 */

/** Whether the service says that it does not know the job, or not any more. */
export function isJobGone(error: unknown): boolean {
  return error instanceof JobNotFoundError || error instanceof JobExpiredError;
}

/** Whether the service refuses the key: it says so, or that there is no such endpoint for this key. */
export function isKeyRefused(error: unknown): boolean {
  return (error instanceof AuthenticationError || error instanceof NotFoundError) && !error.retryable;
}

/** Whether a page, and not the service, says that there is no such job. */
export function isMissingPage(error: unknown): boolean {
  return error instanceof NotFoundError && error.retryable;
}

/**
 * Whether the job may be over although its cancel failed in this way: reading the job tells. It is not documented what the
 * service answers to the cancel of a job that is over. A failure that may pass says nothing about the job.
 */
export function mayConcernJob(error: unknown): boolean {
  if (error instanceof ResponseError) return true;
  if (!(error instanceof HttpError) || isKeyRefused(error)) return false;
  return !statusRule(error.status).retryable;
}

/** Terminal is final, so an answer that says otherwise is outdated. As an error it has the job read again. */
export function outdatedAnswer({ id, rawStatus }: JobSnapshot): ResponseError {
  return unconfirmed(`job ${id} is over, and was answered otherwise`, id, rawStatus);
}

/** The error for a cancel whose answer says that the job is not over. */
export function unconfirmedAnswer({ id, rawStatus }: JobSnapshot): ResponseError {
  return unconfirmed(`job ${id} was to be cancelled, and was answered to be ${clip(rawStatus, 50)}`, id, rawStatus);
}

function unconfirmed(message: string, jobId: string, rawStatus: string): ResponseError {
  const context = { operation: 'cancel', jobId, accepted: 'unknown' } as const;
  return new ResponseError(message, context, { excerpt: clip(rawStatus, 50), retryable: true });
}
