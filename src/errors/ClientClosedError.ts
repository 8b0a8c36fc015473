import { AbortedError } from './AbortedError.js';
import type { ErrorContext } from './RunpodError.js';

/**
 * The client was closed: before the call, which was not sent then, or while the call was under way. An abort like the one of
 * a signal, so `name` is `AbortError`, and it is an instance of `AbortedError`.
 */
export class ClientClosedError extends AbortedError {
  static override readonly brand = 'ClientClosedError';
  static override readonly code = 'client_closed';

  constructor(context: ErrorContext) {
    super(context, 'the client is closed');
  }
}
