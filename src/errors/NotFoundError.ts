import { HttpError } from './HttpError.js';

/** There is no such endpoint, or the key has no access to it: the service answers 404 to both. */
export class NotFoundError extends HttpError {
  static override readonly brand = 'NotFoundError';
  static override readonly code = 'not_found';
}
