import { HttpError } from './HttpError.js';

/** The endpoint does not exist, or the API key has no access to it. The service answers 404 in both cases. */
export class NotFoundError extends HttpError {
  static override readonly brand = 'NotFoundError';
  static override readonly code = 'not_found';
}
