import { HttpError } from './HttpError.js';

/** The service refused the request because its body is too large. */
export class BodyTooLargeError extends HttpError {
  static override readonly brand = 'BodyTooLargeError';
  static override readonly code = 'body_too_large';
}
