import { HttpError, type HttpErrorDetails } from './HttpError.js';
import type { ErrorContext } from './RunpodError.js';

/** The API key is missing, wrong, or may not do this (401, 403). */
export class AuthenticationError extends HttpError {
  static override readonly brand = 'AuthenticationError';

  constructor(message: string, details: HttpErrorDetails, context: ErrorContext) {
    super(message, details, context, 'authentication');
  }
}
