import { copyableRequest } from '../protocol/jobBody.js';
import { isRecord } from '../protocol/json.js';
import { EXECUTION_TIMEOUT, TTL } from '../protocol/limits.js';
import type { JobRequest } from '../types/JobRequest.js';
import type { JobTimeout } from './JobOptions.js';

/** By how much a job's `ttl` exceeds its `timeout.total`, in milliseconds: time to fetch a result before it expires. */
const TTL_MARGIN = 35 * 60_000;

/**
 * The request with a `policy` by which the service enforces the job's deadlines, too, in case this client dies. What the
 * request says itself takes precedence.
 */
export function withJobPolicy(request: JobRequest<object>, timeout: JobTimeout): JobRequest<object> {
  const { total, execution = total } = timeout;
  const executionTimeout = within(execution, EXECUTION_TIMEOUT);
  const ttl = within(total === undefined ? undefined : total + TTL_MARGIN, TTL);
  const given: unknown = request.policy ?? {};
  const nothingToAdd = executionTimeout === undefined && ttl === undefined;
  // A policy that is no object is left alone: the check of the submission reports it as it was given.
  if (nothingToAdd || !isRecord(given)) return request;
  const whole = copyableRequest(request);
  const { policy } = whole;
  return {
    ...whole,
    policy: {
      ...policy,
      executionTimeout: policy?.executionTimeout ?? executionTimeout,
      ttl: policy?.ttl ?? ttl,
    },
  };
}

function within(value: number | undefined, { min, max }: Readonly<typeof TTL | typeof EXECUTION_TIMEOUT>) {
  return value === undefined ? undefined : Math.min(max, Math.max(min, value));
}
