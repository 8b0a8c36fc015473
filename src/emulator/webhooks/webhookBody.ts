import type { JobModel } from '../model/JobModel.js';

/** The body of a webhook: the job object plus `input` and `webhook`, minus `workerId`; keys in alphabetical order. */
export function webhookBody(job: JobModel): string {
  const { id, delayTime, executionTime, status, submission, report } = job;
  const { input, webhook } = submission;
  const retries = job.retries || undefined;
  const { error, output } = report;
  return JSON.stringify({ delayTime, error, executionTime, id, input, output, retries, status, webhook });
}
