import { RunpodError } from './RunpodError.js';

/** The service knows no such job on this endpoint, and neither does this client. */
export class JobNotFoundError extends RunpodError {
  static override readonly brand = 'JobNotFoundError';
  static override readonly code = 'job_not_found';
}
