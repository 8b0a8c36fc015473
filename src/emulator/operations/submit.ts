import { defer, map, of } from 'rxjs';
import { RUNSYNC_WAIT } from '../../protocol/limits.js';
import { jobNotFound, json, type Answer } from '../model/answers.js';
import type { JobModel, Submission } from '../model/JobModel.js';
import { hold } from '../model/hold.js';
import { jobBody, shownOver, shownStatus } from '../model/jobBody.js';
import type { OperationCall, Operate } from './OperationCall.js';
import { readSubmission } from './submission.js';
import { waitOf } from './wait.js';

function isAnswer(value: Submission | Answer): value is Answer {
  return 'text' in value;
}

function accept({ endpoint, onJobCreated }: OperationCall, submission: Submission): JobModel {
  const job = endpoint.queue.submit(submission);
  onJobCreated(job);
  const lag = endpoint.faults.forJob('transient-404', job);
  if (lag) job.hiddenUntil = job.submittedAt + (lag.for ?? 2_000);
  return job;
}

/** `POST /run`: puts the job into the queue, and answers at once. */
export const run: Operate = (call) =>
  defer(() => {
    const submission = readSubmission(call.request, 'run');
    if (isAnswer(submission)) return of(submission);
    return of(json(200, { id: accept(call, submission).id, status: 'IN_QUEUE' }));
  });

/** `POST /runsync`: puts the job into the queue, and is held until the job has ended or the wait is over. */
export const runsync: Operate = (call) =>
  defer(() => {
    const wait = waitOf(call, RUNSYNC_WAIT);
    if (typeof wait !== 'number') return of(wait);
    const submission = readSubmission(call.request, 'runsync');
    if (isAnswer(submission)) return of(submission);
    const { queue, settings } = call.endpoint;
    const job = accept(call, submission);
    return hold(job, () => shownOver(job), Math.min(wait, job.ttl), settings.scheduler).pipe(
      map(() => {
        if (!queue.find(job.id)) return jobNotFound();
        if (shownStatus(job) === 'FAILED' && settings.variants.failed === 'bad-request') {
          // The keys are in the order of the documentation, which is the only source for this answer.
          return json(400, { id: job.id, status: 'FAILED', error: job.report.error });
        }
        return json(200, shownOver(job) ? jobBody(job, settings.variants) : { id: job.id, status: shownStatus(job) });
      }),
    );
  });
