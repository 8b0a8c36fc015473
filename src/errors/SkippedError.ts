import { RunpodError } from './RunpodError.js';

/**
 * What a runner errors with to say that there is nothing to do for an input, such as one whose result was committed before.
 * Not a failure: a pipeline emits no item for it. Nothing was sent.
 */
export class SkippedError extends RunpodError {
  static override readonly brand = 'SkippedError';
  static override readonly code = 'skipped';
}
