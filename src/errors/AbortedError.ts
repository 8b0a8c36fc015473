import { RunpodError } from './RunpodError.js';
import type { ErrorContext } from './RunpodError.js';

/**
 * The call's `AbortSignal` was aborted; `cause` is the signal's reason. `name` is `AbortError`, as in the platform's own
 * error.
 */
export class AbortedError extends RunpodError {
  static override readonly brand = 'AbortedError';
  static override readonly code = 'aborted';

  constructor(context: ErrorContext) {
    super(`${context.operation} was aborted`, context);
    this.name = 'AbortError';
  }
}
