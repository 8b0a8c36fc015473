import type { JobModel } from '../model/JobModel.js';
import { writeJson } from '../model/relayed.js';

/** The body of a webhook: the job object plus `input` and `webhook`, minus `workerId`; keys in alphabetical order. */
export function webhookBody(job: JobModel): string {
  const { id, delayTime, executionTime, status, submission, report } = job;
  const { wireInput: input, webhook } = submission;
  const retries = job.retries || undefined;
  const { error, output } = report;
  return writeJson({ delayTime, error, executionTime, id, input, output, retries, status, webhook });
}
