import { RunpodError, type ErrorInit } from './RunpodError.js';

/** The call's `AbortSignal` was aborted; `cause` is the signal's reason. Its `name` is `AbortError`, as the platform's. */
export class AbortedError extends RunpodError {
  static override readonly brand = 'AbortedError';

  constructor(init: ErrorInit) {
    super('aborted', `${init.operation} was aborted`, init);
    this.name = 'AbortError';
  }
}
