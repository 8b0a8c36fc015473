import { RunpodError } from './RunpodError.js';

/** The client's options, or those of a function, are incomplete or not allowed. Nothing was sent. */
export class ConfigurationError extends RunpodError {
  static override readonly brand = 'ConfigurationError';
  static override readonly code = 'configuration';
}
