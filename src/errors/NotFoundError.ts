import { HttpError, type HttpErrorDetails } from './HttpError.js';
import type { ErrorContext } from './RunpodError.js';

/** There is no such endpoint, or the key has no access to it: the service answers 404 to both. */
export class NotFoundError extends HttpError {
  static override readonly brand = 'NotFoundError';

  constructor(message: string, details: HttpErrorDetails, context: ErrorContext) {
    super(message, details, context, 'endpoint_not_found');
  }
}
