import { HttpError } from './HttpError.js';

/** How long an error's HTTP answer asks to wait, in milliseconds; 0 where it does not ask. */
export function retryAfterMs(error: unknown): number {
  return error instanceof HttpError ? (error.retryAfter ?? 0) : 0;
}
