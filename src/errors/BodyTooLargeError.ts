import { HttpError } from './HttpError.js';

/** The service refused the body for its size. */
export class BodyTooLargeError extends HttpError {
  static override readonly brand = 'BodyTooLargeError';
  static override readonly code = 'body_too_large';
}
