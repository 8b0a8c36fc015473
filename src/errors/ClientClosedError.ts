import { AbortedError } from './AbortedError.js';
import type { ErrorContext } from './RunpodError.js';

/**
 * The client was closed. Where it was closed before the call was made, the call was not sent. Closing aborts calls as an
 * aborted signal does, so this error is an `AbortedError`, and its `name` is `AbortError`.
 */
export class ClientClosedError extends AbortedError {
  static override readonly brand = 'ClientClosedError';
  static override readonly code = 'client_closed';

  constructor(context: ErrorContext) {
    super(context, 'the client is closed');
  }
}
