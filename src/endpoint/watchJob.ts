import { Observable } from 'rxjs';
import type { WatchRequest } from '../polling/WatchRequest.js';
import type { JobSnapshot } from '../types/JobSnapshot.js';
import type { EndpointContext } from './EndpointContext.js';

/** Polls a job until it is over, without a check of its output. Emits a snapshot when it differs from the one before. */
export function watchJob(context: EndpointContext, id: string, request: WatchRequest): Observable<JobSnapshot> {
  return new Observable((subscriber) => {
    context.jobs.watch(id, request, subscriber);
  });
}
