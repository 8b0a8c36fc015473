import { RunpodError } from './RunpodError.js';

/** The buffer of `runEach` was full: the source is faster than the jobs. The input was not submitted. */
export class BufferOverflowError extends RunpodError {
  static override readonly brand = 'BufferOverflowError';
  static override readonly code = 'buffer_overflow';
}
