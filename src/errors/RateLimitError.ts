import { HttpError, type HttpErrorDetails } from './HttpError.js';
import type { ErrorContext } from './RunpodError.js';

/** The endpoint takes no more requests at the moment (429), and repeating did not help. */
export class RateLimitError extends HttpError {
  static override readonly brand = 'RateLimitError';

  constructor(message: string, details: HttpErrorDetails, context: ErrorContext) {
    super(message, details, context, 'rate_limited');
  }
}
