import { RunpodError } from './RunpodError.js';

/** The members of {@link ResponseError} besides those of every error. */
export interface ResponseErrorDetails {
  /** The beginning of the answer's text; empty where it was too large to be read. */
  readonly excerpt: string;
}

/** The service answered 2xx, and the answer is too large, or cannot be read as what the call expects. */
export class ResponseError extends RunpodError<ResponseErrorDetails> {
  static override readonly brand = 'ResponseError';
  static override readonly code = 'response';

  declare readonly excerpt: string;
}
