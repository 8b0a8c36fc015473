import type { Observable } from 'rxjs';
import type { JobRequest } from '../types/JobRequest.js';
import type { JobSnapshot } from '../types/JobSnapshot.js';

/**
 * Runs one job to its end. Cold: each subscription runs another job. Emits the snapshots of the job as they come, the
 * terminal one last; a job that FAILED is data. Unsubscribing cancels the job; an error does not.
 *
 * @param index - the number of the input in its pipeline, from 0
 */
export type Runner<I extends object = Record<string, unknown>, O = unknown> = (
  request: JobRequest<I>,
  index: number,
) => Observable<JobSnapshot<O>>;
