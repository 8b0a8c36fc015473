import type { JobRef } from '../types/JobRef.js';
import type { JobRequest } from '../types/JobRequest.js';

/** Where a job comes from: a request that is to be submitted, or the reference of a job that was submitted before. */
export interface JobOrigin {
  readonly request?: JobRequest<object>;
  readonly ref?: JobRef;
}
