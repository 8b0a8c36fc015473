import { RunpodError } from './RunpodError.js';

/**
 * This client reads the job's stream already. The service sends each chunk once, so with two readers each would miss the
 * chunks of the other.
 */
export class StreamInUseError extends RunpodError {
  static override readonly brand = 'StreamInUseError';
  static override readonly code = 'stream_in_use';
}
