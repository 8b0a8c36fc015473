import { RunpodError } from './RunpodError.js';

/** A buffer of `runEach` had no room for an input: its source is faster than the jobs. Nothing was submitted for it. */
export class BufferOverflowError extends RunpodError {
  static override readonly brand = 'BufferOverflowError';
  static override readonly code = 'buffer_overflow';
}
