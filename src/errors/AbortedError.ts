import type { ErrorCode } from './codes.js';
import { RunpodError } from './RunpodError.js';
import type { ErrorContext } from './RunpodError.js';

/**
 * The call's `AbortSignal` was aborted; `cause` is the signal's reason. `name` is `AbortError`, as in the platform's own
 * error.
 */
export class AbortedError extends RunpodError {
  static override readonly brand: string = 'AbortedError';
  static override readonly code: ErrorCode = 'aborted';

  constructor(context: ErrorContext, message = `${context.operation} was aborted`) {
    super(message, context);
    this.name = 'AbortError';
  }
}
