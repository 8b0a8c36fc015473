import { RunpodError } from './RunpodError.js';

/** What a {@link ResponseError} says. */
export interface ResponseErrorDetails {
  /** The beginning of the answer. */
  readonly excerpt: string;
}

/** The service answered 2xx, but with something that cannot be understood. */
export class ResponseError extends RunpodError<ResponseErrorDetails> {
  static override readonly brand = 'ResponseError';
  static override readonly code = 'response';

  declare readonly excerpt: string;
}
