import type { ErrorCode } from './codes.js';
import { RunpodError } from './RunpodError.js';

/** The members of {@link HttpError} besides those of every error. */
export interface HttpErrorDetails {
  readonly status: number;
  /** The service's id of the request, for RunPod's support. */
  readonly requestId?: string | undefined;
  /** How long the answer asks to wait, in milliseconds. */
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
