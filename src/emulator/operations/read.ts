import { defer, map, of, type Observable } from 'rxjs';
import { RUNSYNC_WAIT, STREAM_WAIT } from '../../protocol/limits.js';
import { networkError } from '../faults/networkError.js';
import { jobNotFound, json, type Answer } from '../model/answers.js';
import { hold } from '../model/hold.js';
import type { JobModel } from '../model/JobModel.js';
import { jobBody, shownOver, shownStatus } from '../model/jobBody.js';
import type { OperationCall, Operate } from './OperationCall.js';
import { waitOf } from './wait.js';

/** Answers with the job that a request names, or with 404 if the job cannot be read now. */
function withJob(call: OperationCall, answer: (job: JobModel) => Observable<Answer>): Observable<Answer> {
  return defer(() => {
    const { queue, settings } = call.endpoint;
    const job = queue.find(call.jobId);
    return job && settings.scheduler.now() >= job.hiddenUntil ? answer(job) : of(jobNotFound());
  });
}

/** Holds a read until `ready` returns true or the wait is over. Answers with 404 if the job is gone by then. */
function heldRead(
  call: OperationCall,
  wait: number,
  ready: (job: JobModel) => boolean,
  answer: (job: JobModel) => Answer,
) {
  return (job: JobModel): Observable<Answer> => {
    const { scheduler } = call.endpoint.settings;
    // The end of a waiting job's time to live causes no change event, so the wait must not last longer.
    const most = job.over ? wait : Math.min(wait, job.ttlAt - scheduler.now());
    return hold(job, () => ready(job), most, scheduler).pipe(
      map(() => (call.endpoint.queue.find(call.jobId) ? answer(job) : jobNotFound())),
    );
  };
}

/** `/status/{id}`: the job. The query `ttl` sets how long the job can be read after its end, in milliseconds. */
export const status: Operate = (call) =>
  withJob(call, (job) => {
    const ttl = Number(call.query.get('ttl') ?? NaN);
    if (ttl >= 0) job.retention = ttl;
    return of(json(200, jobBody(job, call.endpoint.settings.variants)));
  });

/** `/status-sync/{id}`: the job, once it has ended or the wait is over. */
export const statusSync: Operate = (call) => {
  const wait = waitOf(call, RUNSYNC_WAIT);
  if (typeof wait !== 'number') return of(wait);
  const answer = (job: JobModel): Answer => json(200, jobBody(job, call.endpoint.settings.variants));
  return withJob(call, heldRead(call, wait, shownOver, answer));
};

/** `/stream/{id}`: the unread chunks. Held while there are none and the job has not ended. */
export const stream: Operate = (call) => {
  const wait = waitOf(call, STREAM_WAIT);
  if (typeof wait !== 'number') return of(wait);
  const ready = (job: JobModel): boolean => job.chunks.waiting > 0 || shownOver(job);
  let taken = 0;
  const answer = (job: JobModel): Answer => {
    const chunks = job.chunks.drain();
    taken = chunks.length;
    return json(200, { status: shownStatus(job), stream: chunks.map((output) => ({ output })) });
  };
  return withJob(call, heldRead(call, wait, ready, answer)).pipe(
    map((given) => {
      if (taken > 0 && call.losesChunks()) throw networkError('sent', 'ECONNRESET');
      return given;
    }),
  );
};
