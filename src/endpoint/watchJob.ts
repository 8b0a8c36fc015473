import { Observable } from 'rxjs';
import { invalidRequest } from '../errors/invalidRequest.js';
import { checkWatch } from '../protocol/checks.js';
import type { WatchOptions } from '../types/callOptions.js';
import type { JobSnapshot } from '../types/JobSnapshot.js';
import type { EndpointContext } from './EndpointContext.js';
import type { CallMeta } from './EndpointView.js';
import { readJob } from './readJob.js';

/** Polls a job until it is over, without a check of its output. Emits a snapshot when it differs from the one before. */
export function watchJob(
  context: EndpointContext,
  { id, options, meta }: { readonly id: string; readonly options: WatchOptions; readonly meta?: CallMeta },
): Observable<JobSnapshot> {
  return new Observable((subscriber) => {
    const issues = checkWatch(options);
    if (issues.length) throw invalidRequest(issues, context.errorContext({ operation: 'status', jobId: id }));
    const request = { options, readJob: (holdFor?: number) => readJob(context, { id, options, meta, holdFor }) };
    context.jobs.watch(id, request, subscriber);
  });
}
