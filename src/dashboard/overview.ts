import type { JobDetails } from '../emulator/server/dashboard/FeedEvent.js';
import { element } from './dom.js';
import { errorBlock } from './errorBlock.js';
import { count, duration } from './format.js';
import { jsonBlock } from './jsonBlock.js';
import { statusTag } from './statusTag.js';

/** The facts about a job. */
export function overview(job: JobDetails, now: number): readonly HTMLElement[] {
  const { status, endpointId, operation, submittedAt, startedAt, endedAt = now, runs, progress } = job;
  const billed = runs.reduce((sum, run) => sum + (run.endedAt ?? now) - run.startedAt, 0);
  const policy = Object.entries(job.policy).map(([name, value]) => `${name} ${String(value)}`);
  const facts: readonly (readonly [name: string, value: string | HTMLElement, isShown?: boolean])[] = [
    ['Status', statusTag(status)],
    ['Endpoint', endpointId],
    ['Submitted by', `/${operation}`],
    ['Waited', duration((startedAt ?? endedAt) - submittedAt)],
    ['Ran', duration(endedAt - (startedAt ?? endedAt)), startedAt !== undefined],
    ['On workers, in all', duration(billed), runs.length > 1],
    ['Worker', job.workerId ?? '', job.workerId !== undefined],
    ['Run again by itself', count(job.retries), job.retries > 0],
    ['Renewed by /retry', count(job.renewals), job.renewals > 0],
    ['Requests to cancel', count(job.cancelRequests), job.cancelRequests > 0],
    ['Chunks handed out', `${count(job.chunksHandedOut)} of ${count(job.chunks)}`, job.chunks > 0],
    ['Policy', policy.join(', '), policy.length > 0],
  ];
  const rows = facts
    .filter(([, , isShown = true]) => isShown)
    .flatMap(([name, value]) => [element('dt', {}, name), element('dd', {}, value)]);
  return [
    element('dl', { class: 'facts' }, ...rows),
    ...(job.error ? [element('h3', {}, 'Error'), ...errorBlock(job.error)] : []),
    ...(progress ? [element('h3', {}, 'Progress'), ...jsonBlock(progress)] : []),
  ];
}
