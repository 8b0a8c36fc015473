import { RequestTimeoutError } from './RequestTimeoutError.js';
import type { ErrorContext } from './RunpodError.js';

/** The error for a call, or an attempt of it, that took longer than the option `option` allows. */
export function timedOut(
  timeout: number,
  option: 'timeout' | 'requestTimeout',
  context: ErrorContext,
): RequestTimeoutError {
  return new RequestTimeoutError(
    `${context.operation} on endpoint ${context.endpointId ?? '?'} had no answer within ${timeout} ms (option ${option})`,
    context,
    { timeout, retryable: context.accepted !== 'unknown' },
  );
}
