import { RunpodError, type ErrorContext } from './RunpodError.js';

/** This client already reads the job's stream. The service hands each chunk out once, so two readers would share them. */
export class StreamInUseError extends RunpodError {
  static override readonly brand = 'StreamInUseError';

  constructor(context: ErrorContext) {
    super(
      'stream_in_use',
      `the stream of job ${context.jobId ?? '?'} is already being read: share that Observable, since each chunk is handed out once`,
      context,
    );
  }
}
