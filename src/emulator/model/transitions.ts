import { Subscription } from 'rxjs';
import type { JobModel, JobEnd, WorkerReport, Run, RunOutcome, WireStatus } from './JobModel.js';
import { StreamBuffer } from './StreamBuffer.js';

/** IN_QUEUE → IN_PROGRESS: a worker has taken the job. */
export function startRun(job: JobModel, workerId: string, now: number): Run {
  const run: Run = { workerId, startedAt: now, lastSeenAt: now, lifetime: new Subscription() };
  job.runs.push(run);
  job.current = run;
  job.status = 'IN_PROGRESS';
  job.delayTime = now - job.queuedAt;
  job.workerId = workerId;
  job.notifyChanged();
  return run;
}

/** Ends the job's run. The caller then ends the job or puts it back into the queue. */
export function endRun(job: JobModel, outcome: RunOutcome, now: number): void {
  const run = job.current;
  if (!run) return;
  job.current = undefined;
  job.executionTime = now - run.startedAt;
  run.endedAt = now;
  run.outcome = outcome;
  run.lifetime.unsubscribe();
}

const STATUS_OF: Readonly<Record<JobEnd, WireStatus>> = {
  completed: 'COMPLETED',
  failed: 'FAILED',
  cancelled: 'CANCELLED',
  'timed-out': 'TIMED_OUT',
  // No answer shows these two, since such jobs are gone, but the ledger needs a status.
  expired: 'TIMED_OUT',
  purged: 'CANCELLED',
};

/** Any state → the end. */
export function endJob(job: JobModel, end: JobEnd, report: WorkerReport, now: number): void {
  job.status = STATUS_OF[end];
  job.end = end;
  job.endedAt = now;
  job.report = report;
  job.notifyChanged();
}

/** IN_PROGRESS → IN_QUEUE: the platform itself runs the job again. */
export function requeue(job: JobModel): void {
  job.retries += 1;
  backToQueue(job);
}

/** FAILED or TIMED_OUT → IN_QUEUE: a client asked for it by `/retry`. The job's results are no longer readable. */
export function renew(job: JobModel, now: number): void {
  job.renewals += 1;
  job.retries = 0;
  job.queuedAt = now;
  job.end = undefined;
  job.endedAt = undefined;
  job.report = {};
  job.reverted = undefined;
  job.earlier.push(job.chunks);
  job.chunks = new StreamBuffer();
  backToQueue(job);
}

function backToQueue(job: JobModel): void {
  job.status = 'IN_QUEUE';
  job.progress = undefined;
  job.delayTime = undefined;
  job.executionTime = undefined;
  job.workerId = undefined;
  job.notifyChanged();
}
