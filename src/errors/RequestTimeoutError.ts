import { RunpodError } from './RunpodError.js';

/** What a {@link RequestTimeoutError} says. */
export interface RequestTimeoutErrorDetails {
  /** The limit in milliseconds. */
  readonly timeout: number;
}

/** A call, or one attempt of it, took longer than it may. */
export class RequestTimeoutError extends RunpodError<RequestTimeoutErrorDetails> {
  static override readonly brand = 'RequestTimeoutError';
  static override readonly code = 'request_timeout';

  declare readonly timeout: number;
}
