import { RunpodError, type ErrorContext } from './RunpodError.js';

/** The service knows no such job on this endpoint, and neither does this client. */
export class JobNotFoundError extends RunpodError {
  static override readonly brand = 'JobNotFoundError';

  constructor(context: ErrorContext) {
    super(
      'job_not_found',
      `endpoint ${context.endpointId ?? '?'} has no job ${context.jobId ?? '?'}: check both ids, and that the API key belongs to the endpoint's account`,
      context,
    );
  }
}
