import { RunpodError, type ErrorContext } from './RunpodError.js';

/** The client lacks something, or was told something it will not do: nothing was sent. */
export class ConfigurationError extends RunpodError {
  static override readonly brand = 'ConfigurationError';

  constructor(message: string, context: ErrorContext) {
    super('configuration', message, context);
  }
}
