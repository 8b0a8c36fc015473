import { HttpError, type HttpErrorDetails } from './HttpError.js';
import type { ErrorContext } from './RunpodError.js';

/** The service refused the body for its size. */
export class BodyTooLargeError extends HttpError {
  static override readonly brand = 'BodyTooLargeError';

  constructor(message: string, details: HttpErrorDetails, context: ErrorContext) {
    super(message, details, context, 'body_too_large');
  }
}
