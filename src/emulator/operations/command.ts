import { defer, of } from 'rxjs';
import { jobNotFound, json, type Answer } from '../model/answers.js';
import { shownStatus } from '../model/jobBody.js';
import type { Operate } from './OperationCall.js';

/** `POST /cancel/{id}`: stops a waiting or running job. The service's answer for an ended job is not known: a variant. */
export const cancel: Operate = ({ endpoint: { queue, settings }, jobId }) =>
  answerOnce(() => {
    const job = queue.find(jobId);
    if (!job) return jobNotFound();
    if (!queue.cancel(job) && settings.variants.cancelEnded === 'not-found') return jobNotFound();
    return json(200, { id: job.id, status: shownStatus(job) });
  });

/** `POST /retry/{id}`: runs a failed job again, under the same id. */
export const retry: Operate = ({ endpoint: { queue }, jobId }) =>
  answerOnce(() => {
    const job = queue.find(jobId);
    if (!job) return jobNotFound();
    return queue.retry(job)
      ? json(200, { id: job.id, status: 'IN_QUEUE' })
      : json(400, { error: 'job cannot be retried' });
  });

/** `POST /purge-queue`: removes the waiting jobs. Running jobs go on. */
export const purgeQueue: Operate = ({ endpoint: { queue } }) =>
  answerOnce(() => json(200, { removed: queue.purge(), status: 'completed' }));

function answerOnce(act: () => Answer) {
  return defer(() => of(act()));
}
