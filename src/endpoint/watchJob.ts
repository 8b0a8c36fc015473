import { Observable } from 'rxjs';
import type { WatchRequest } from '../polling/WatchRequest.js';
import type { JobSnapshot } from '../types/JobSnapshot.js';
import type { EndpointContext } from './EndpointContext.js';

/**
 * Polls a job until it is over, without a check of its output. Emits a snapshot when it differs from the one before.
 *
 * @param seen - the last known snapshot, which is not emitted again; the job is read at once where there is none
 */
export function watchJob(
  context: EndpointContext,
  id: string,
  request: WatchRequest,
  seen?: JobSnapshot,
): Observable<JobSnapshot> {
  return new Observable((subscriber) => {
    context.jobs.watch(id, request, subscriber, seen);
  });
}
