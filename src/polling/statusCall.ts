import type { CallMeta, JobCall } from '../http/ApiCall.js';

/**
 * The call that reads a job once: `/status`, or `/status-sync` where the service may hold its answer for `holdFor`
 * milliseconds. Several requests may share it, each with a timeout and a signal of its own.
 */
export function statusCall(jobId: string, meta?: CallMeta, holdFor = 0): JobCall {
  if (!holdFor) return { ownership: 'shared-read', ...meta, operation: 'status', jobId };
  return {
    ownership: 'shared-read',
    ...meta,
    operation: 'status-sync',
    jobId,
    query: { wait: holdFor },
    holdFor,
    // A pause before another attempt would leave the job unread, and look as if the service were silent.
    once: true,
  };
}
