import type { JobSnapshot } from '../types/JobSnapshot.js';
import type { Watcher } from './Watcher.js';

type Watched = Pick<Watcher, 'job' | 'runningSince'>;

/** Whether a snapshot says that its job runs or has run. A cancelled job may never have. */
export function hasStarted({ status }: JobSnapshot): boolean {
  return status !== 'CANCELLED' && status !== 'IN_QUEUE' && status !== 'UNKNOWN';
}

/** When a job began that runs or has run. The service's number may be wrong: nothing began before the submission. */
export function startOf({ job, runningSince }: Watched, { delayTime = NaN }: JobSnapshot, now: number): number {
  const { submittedAt } = job;
  return submittedAt !== undefined && delayTime >= 0 ? Math.min(now, submittedAt + delayTime) : (runningSince ?? now);
}

/** How long a job ran that completed, in milliseconds, where the service says so: no longer than since its submission. */
export function executionOf({ job }: Watched, snapshot: JobSnapshot, now: number): number | undefined {
  const { status, executionTime } = snapshot;
  if (status !== 'COMPLETED' || executionTime === undefined) return undefined;
  return Math.min(executionTime, now - (job.submittedAt ?? -Infinity));
}
