import { RunpodError } from './RunpodError.js';

/** The service does not know a job with this id on this endpoint, and this client has not known it either. */
export class JobNotFoundError extends RunpodError {
  static override readonly brand = 'JobNotFoundError';
  static override readonly code = 'job_not_found';
}
