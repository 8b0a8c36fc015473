import type { Variants } from '../EmulatorOptions.js';
import type { JobModel, WireStatus } from './JobModel.js';

/** The status that answers show: IN_PROGRESS if a late progress update hides the true status. */
export function shownStatus(job: JobModel): WireStatus {
  return job.reverted ? 'IN_PROGRESS' : job.status;
}

/** Whether answers show the job as over. */
export function shownOver(job: JobModel): boolean {
  return job.over && !job.reverted;
}

/** The job object of `/status`, `/status-sync` and `/runsync`, keys in alphabetical order, absent fields left out. */
export function jobBody(job: JobModel, variants: Required<Variants>): Record<string, unknown> {
  const { id, delayTime, workerId } = job;
  const status = shownStatus(job);
  // `undefined` members do not survive JSON.stringify.
  const retries = job.retries || undefined;
  if (status === 'IN_QUEUE') return { id, retries, status };
  if (status === 'CANCELLED' && variants.cancelled === 'bare') return { id, status };
  if (status === 'IN_PROGRESS') {
    const progress = job.reverted ? { ...job.reverted, executionTime: job.executionTime } : job.progress;
    return {
      delayTime,
      executionTime: progress?.executionTime,
      id,
      output: progress?.value,
      retries,
      status,
      workerId,
    };
  }
  const { error, output } = job.report;
  return { delayTime, error, executionTime: job.executionTime, id, output, retries, status, workerId };
}
