import { RunpodError } from './RunpodError.js';

/** The members of {@link ResponseError} besides those of every error. */
export interface ResponseErrorDetails {
  /** The beginning of the answer's text. */
  readonly excerpt: string;
}

/** The service answered 2xx, and the answer cannot be read as what the call expects. */
export class ResponseError extends RunpodError<ResponseErrorDetails> {
  static override readonly brand = 'ResponseError';
  static override readonly code = 'response';

  declare readonly excerpt: string;
}
