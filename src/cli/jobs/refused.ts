import { ConfigurationError } from '../../index.js';

/** What the user has given cannot be used, and nothing was sent. */
export function refused(message: string): ConfigurationError {
  return new ConfigurationError(message, { operation: 'run', accepted: 'no' });
}
