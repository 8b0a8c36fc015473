import { HttpError } from './HttpError.js';

/** The endpoint takes no more requests at the moment (429), and the client's repeats had the same answer. */
export class RateLimitError extends HttpError {
  static override readonly brand = 'RateLimitError';
  static override readonly code = 'rate_limit';
}
