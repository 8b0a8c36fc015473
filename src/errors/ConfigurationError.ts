import { RunpodError } from './RunpodError.js';

/** The client's options are incomplete or not allowed, or the client is closed. Nothing was sent. */
export class ConfigurationError extends RunpodError {
  static override readonly brand = 'ConfigurationError';
  static override readonly code = 'configuration';
}
