import { HttpError } from './HttpError.js';

/** The API key is missing or wrong, or lacks the permission for the call (401, 403). */
export class AuthenticationError extends HttpError {
  static override readonly brand = 'AuthenticationError';
  static override readonly code = 'authentication';
}
