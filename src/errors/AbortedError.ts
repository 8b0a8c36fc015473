import { RunpodError } from './RunpodError.js';
import type { ErrorContext } from './RunpodError.js';

/** The call's `AbortSignal` was aborted; `cause` is the signal's reason. Its `name` is `AbortError`, as the platform's. */
export class AbortedError extends RunpodError {
  static override readonly brand = 'AbortedError';
  static override readonly code = 'aborted';

  constructor(context: ErrorContext) {
    super(`${context.operation} was aborted`, context);
    this.name = 'AbortError';
  }
}
