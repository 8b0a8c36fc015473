import { Observable } from 'rxjs';
import { invalidRequest } from '../errors/invalidRequest.js';
import type { WatchRequest } from '../polling/WatchRequest.js';
import { checkWatch } from '../protocol/checks.js';
import type { JobSnapshot } from '../types/JobSnapshot.js';
import type { EndpointContext } from './EndpointContext.js';

/** Polls a job until it is over, without a check of its output. Emits a snapshot when it differs from the one before. */
export function watchJob(context: EndpointContext, id: string, request: WatchRequest): Observable<JobSnapshot> {
  return new Observable((subscriber) => {
    const issues = checkWatch(request.options);
    if (issues.length) throw invalidRequest(issues, context.errorContext({ operation: 'status', jobId: id }));
    context.jobs.watch(id, request, subscriber);
  });
}
