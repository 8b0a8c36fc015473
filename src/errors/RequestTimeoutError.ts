import { RunpodError } from './RunpodError.js';

/** The members of {@link RequestTimeoutError} besides those of every error. */
export interface RequestTimeoutErrorDetails {
  /** The limit in milliseconds. */
  readonly timeout: number;
}

/** A call, or one attempt of it, took longer than its limit. */
export class RequestTimeoutError extends RunpodError<RequestTimeoutErrorDetails> {
  static override readonly brand = 'RequestTimeoutError';
  static override readonly code = 'request_timeout';

  declare readonly timeout: number;
}
