import { defer, map, of, type Observable } from 'rxjs';
import { RUNSYNC_WAIT, STREAM_WAIT } from '../../protocol/limits.js';
import { networkError } from '../faults/networkError.js';
import { jobNotFound, json, type Answer } from '../model/answers.js';
import { hold } from '../model/hold.js';
import type { Job } from '../model/Job.js';
import { jobBody, shownOver, shownStatus } from '../model/jobBody.js';
import type { Call, Operate } from './Call.js';
import { waitOf } from './wait.js';

/** Reads the job that a request names, if it can be read now. */
function reading(call: Call, answer: (job: Job) => Observable<Answer>): Observable<Answer> {
  return defer(() => {
    const { queue, settings } = call.endpoint;
    const job = queue.find(call.jobId);
    return job && settings.scheduler.now() >= job.hiddenUntil ? answer(job) : of(jobNotFound());
  });
}

/** Holds a read, then answers if the job is still there. */
function heldRead(call: Call, wait: number, ready: (job: Job) => boolean, answer: (job: Job) => Answer) {
  return (job: Job): Observable<Answer> => {
    const { scheduler } = call.endpoint.settings;
    // Nothing else tells a held request that a waiting job's time to live is over.
    const most = job.over ? wait : Math.min(wait, job.ttlAt - scheduler.now());
    return hold(job, () => ready(job), most, scheduler).pipe(
      map(() => (call.endpoint.queue.find(call.jobId) ? answer(job) : jobNotFound())),
    );
  };
}

/** `/status/{id}`: the job as it is. With `ttl`, how long it can be read after its end. */
export const status: Operate = (call) =>
  reading(call, (job) => {
    const ttl = Number(call.query.get('ttl') ?? NaN);
    if (ttl >= 0) job.retention = ttl;
    return of(json(200, jobBody(job, call.endpoint.settings.variants)));
  });

/** `/status-sync/{id}`: the job when it is over, or as it is after the wait. */
export const statusSync: Operate = (call) => {
  const wait = waitOf(call, RUNSYNC_WAIT);
  if (typeof wait !== 'number') return of(wait);
  const answer = (job: Job): Answer => json(200, jobBody(job, call.endpoint.settings.variants));
  return reading(call, heldRead(call, wait, shownOver, answer));
};

/** `/stream/{id}`: the chunks nobody has read yet; held while there is none, and the job is not over. */
export const stream: Operate = (call) => {
  const wait = waitOf(call, STREAM_WAIT);
  if (typeof wait !== 'number') return of(wait);
  const ready = (job: Job): boolean => job.chunks.waiting > 0 || shownOver(job);
  let taken = 0;
  const answer = (job: Job): Answer => {
    const chunks = job.chunks.drain();
    taken = chunks.length;
    return json(200, { status: shownStatus(job), stream: chunks.map((output) => ({ output })) });
  };
  return reading(call, heldRead(call, wait, ready, answer)).pipe(
    map((given) => {
      if (taken > 0 && call.dropped()) throw networkError('sent', 'ECONNRESET');
      return given;
    }),
  );
};
