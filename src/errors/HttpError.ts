import type { ErrorCode } from './codes.js';
import { RunpodError, type ErrorContext } from './RunpodError.js';

/** What an {@link HttpError} is told of the answer. */
export interface HttpErrorDetails {
  readonly status: number;
  /** The service's name for the request, to quote to its support. */
  readonly requestId?: string;
  /** Milliseconds that the answer asks to wait. */
  readonly retryAfter?: number;
}

/** The service answered with a status other than 2xx. */
export class HttpError extends RunpodError {
  static override readonly brand: string = 'HttpError';

  readonly status: number;
  readonly requestId?: string;
  readonly retryAfter?: number;

  constructor(message: string, details: HttpErrorDetails, context: ErrorContext, code: ErrorCode = 'http') {
    const { status } = details;
    super(code, message, context, status === 408 || status === 429 || status >= 500);
    this.status = status;
    if (details.requestId !== undefined) this.requestId = details.requestId;
    if (details.retryAfter !== undefined) this.retryAfter = details.retryAfter;
  }
}
