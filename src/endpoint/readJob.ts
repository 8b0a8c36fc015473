import type { Observable } from 'rxjs';
import type { CallOptions } from '../types/callOptions.js';
import type { JobSnapshot } from '../types/JobSnapshot.js';
import type { EndpointContext } from './EndpointContext.js';
import type { CallMeta } from './EndpointView.js';

/** Which job is read, and how. */
export interface JobRead {
  readonly id: string;
  readonly options: CallOptions;
  readonly meta?: CallMeta | undefined;
  /** How long the service may hold the answer, in milliseconds. */
  readonly holdFor?: number | undefined;
}

/** Reads a job once, for all who share the read: each has a timeout and a signal of its own. */
export function readJob(context: EndpointContext, { id, options, meta, holdFor }: JobRead): Observable<JobSnapshot> {
  return context.callJob(
    {
      ...meta,
      ownership: 'shared-read',
      operation: holdFor ? 'status-sync' : 'status',
      jobId: id,
      query: holdFor ? { wait: holdFor } : undefined,
      holdFor,
    },
    options,
  );
}
