import type { Observable } from 'rxjs';
import type { JobSnapshot } from '../types/JobSnapshot.js';
import type { JobContext } from './JobContext.js';

/**
 * Polls a job that has an id until it is over, and checks its output.
 *
 * @param onCompleted - called when an answer says that the job has completed, before its output is checked
 */
export function watchJob({ backend, id, origin }: JobContext, onCompleted?: () => void): Observable<JobSnapshot> {
  backend.restoreSubmittedAt(id, origin.ref?.submittedAt);
  return backend.watch(id).pipe(backend.checkOutput(onCompleted));
}
