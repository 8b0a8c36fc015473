import { JobExpiredError } from '../errors/JobExpiredError.js';
import { JobNotFoundError } from '../errors/JobNotFoundError.js';
import type { ErrorContext } from '../errors/RunpodError.js';
import { isEndpointMissing } from '../protocol/message.js';
import type { JobSnapshot } from '../types/JobSnapshot.js';
import type { Operation } from '../types/Operation.js';
import type { Reply } from '../types/Transport.js';

/**
 * What a 404 for a job means. A job that was just submitted may not be known to all of the service's machines yet: within
 * ten seconds of the submission a 404 is this lag, and the call is sent again after half a second, however often. Later
 * the job is gone: expired where this client has seen it, and not found otherwise.
 */

/** How long after a submission a 404 is lag, in milliseconds. */
const SUBMISSION_LAG = 10_000;

/** Pause before a job that answered 404 within its lag is asked for again, in milliseconds. */
const LAG_PAUSE = 500;

/** Until when (`scheduler.now()`) a 404 of a call is lag. */
export function lagUntil(operation: Operation, submittedAt: number | undefined): number {
  // A held read follows a successful read, so its 404 is never lag.
  if (submittedAt === undefined || operation === 'status-sync') return -Infinity;
  return submittedAt + SUBMISSION_LAG;
}

/** How long to wait before a call is sent again because of the lag; `undefined` where its answer is no lag. */
export function lagPause({ status, text }: Reply, now: number, until: number): number | undefined {
  // An endpoint that is missing will not appear.
  return status === 404 && now < until && !isEndpointMissing(text) ? LAG_PAUSE : undefined;
}

/** What this client knows of a job that is not found. */
interface SeenJob {
  /** Whether the service has told of the job. */
  readonly known: boolean;
  readonly last: JobSnapshot | undefined;
}

/** The error for a job that is not found, and is not lagging. */
export function jobMissingError(
  jobId: string,
  context: ErrorContext,
  job: SeenJob | undefined,
): JobExpiredError | JobNotFoundError {
  if (job?.known)
    return new JobExpiredError(`job ${jobId} is gone: its ttl, or the time its result is kept, is over`, context, {
      snapshot: job.last,
    });
  return new JobNotFoundError(
    `there is no job ${jobId} on endpoint ${context.endpointId ?? '?'}: check both ids and the API key`,
    context,
  );
}
