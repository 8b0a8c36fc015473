import {
  checkOptions,
  countOrInfinity,
  duration,
  durationOrNever,
  type Check,
  type Checks,
} from '../protocol/checkOptions.js';
import type { RetryOptions } from './retryCall.js';

const RETRY: Checks<RetryOptions> = {
  attempts: countOrInfinity(1),
  base: duration,
  max: durationOrNever,
  maxRetryAfter: durationOrNever,
};

/** Checks the option `retry` of a client. */
export const checkRetry: Check = (retry, field) => (retry === false ? [] : checkOptions(retry, RETRY, field));
