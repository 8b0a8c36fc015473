import type { ErrorCode } from './codes.js';
import { RunpodError } from './RunpodError.js';

/** What a {@link HttpError} says. */
export interface HttpErrorDetails {
  readonly status: number;
  /** The service's name for the request, to quote to its support. */
  readonly requestId?: string | undefined;
  /** Milliseconds that the answer asks to wait. */
  readonly retryAfter?: number | undefined;
}

/** The service answered with a status other than 2xx. */
export class HttpError extends RunpodError<HttpErrorDetails> {
  static override readonly brand: string = 'HttpError';
  static override readonly code: ErrorCode = 'http';

  declare readonly status: number;
  declare readonly requestId?: string;
  declare readonly retryAfter?: number;
}
