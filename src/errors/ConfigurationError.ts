import { RunpodError } from './RunpodError.js';

/** The client lacks something, was told something it will not do, or is closed: nothing was sent. */
export class ConfigurationError extends RunpodError {
  static override readonly brand = 'ConfigurationError';
  static override readonly code = 'configuration';
}
