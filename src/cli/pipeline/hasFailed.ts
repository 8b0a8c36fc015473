import type { JobRow } from '../../durable/index.js';

/** Whether a job has ended, and not completed. */
export function hasFailed({ end }: JobRow): boolean {
  return !(end && 'job' in end && end.job.status === 'COMPLETED');
}
