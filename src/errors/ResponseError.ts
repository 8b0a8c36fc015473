import { RunpodError, type ErrorInit } from './RunpodError.js';

/** The service answered 2xx, but with something that cannot be understood. */
export class ResponseError extends RunpodError {
  static override readonly brand = 'ResponseError';

  /** The beginning of the answer. */
  readonly excerpt: string;

  constructor(issue: string, excerpt: string, init: ErrorInit) {
    super('response', `the answer to ${init.operation} on endpoint ${init.endpointId ?? '?'} ${issue}`, init, true);
    this.excerpt = excerpt;
  }
}
