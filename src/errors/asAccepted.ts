import { RunpodError } from './RunpodError.js';

/**
 * The error of reading a job that the failed call itself submitted: making the call again would submit a second one, so
 * it is not `retryable`, whatever the read alone would be.
 */
export function asAccepted(error: unknown): unknown {
  if (!(error instanceof RunpodError) || !error.retryable) return error;
  const type = error.constructor as typeof RunpodError;
  return new type(error.message, error, Object.assign({}, error, { accepted: 'unknown', retryable: false }));
}
