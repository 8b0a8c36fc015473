import { RunpodError } from './RunpodError.js';

/** This client already reads the job's stream. The service hands each chunk out once, so two readers would share them. */
export class StreamInUseError extends RunpodError {
  static override readonly brand = 'StreamInUseError';
  static override readonly code = 'stream_in_use';
}
