import { HttpError } from './HttpError.js';

/** The API key is missing, wrong, or may not do this (401, 403). */
export class AuthenticationError extends HttpError {
  static override readonly brand = 'AuthenticationError';
  static override readonly code = 'authentication';
}
