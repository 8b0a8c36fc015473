import { defer, map, of, type Observable } from 'rxjs';
import { ID_PATTERN } from '../../protocol/limits.js';
import { badRequest, empty, json, jobNotFound, notAQueueRoute, type Answer } from '../model/answers.js';
import { isIncomplete } from '../model/workOn.js';
import type { Assignment } from '../model/WorkerDesk.js';
import type { OperationCall, Operate } from './OperationCall.js';
import { readPost, type PostMembers } from './workerPost.js';

/** Longest accepted worker id, in characters. */
const MAX_WORKER_ID_LENGTH = 128;

/** Jobs that one request can take at most. */
const MAX_JOBS_PER_TAKE = 1_000;

/** Checks the worker's id. A path without a worker id is a route of load-balancer endpoints, and is refused. */
function withWorkerId(
  { workerId }: OperationCall,
  answer: (workerId: string) => Observable<Answer>,
): Observable<Answer> {
  return defer(() => {
    if (workerId === undefined) return of(notAQueueRoute());
    if (workerId.length > MAX_WORKER_ID_LENGTH || !ID_PATTERN.test(workerId)) {
      return of(badRequest(`worker id: must be 1 to ${MAX_WORKER_ID_LENGTH} letters, digits, - and _`));
    }
    return answer(workerId);
  });
}

/** The job as a worker gets it. An empty input is left out, and the worker SDK then refuses the job. */
function jobForWorker(assignment: Assignment): Record<string, unknown> {
  const { id, submission } = assignment.job;
  const { input, policy, s3Config, webhook, batchId } = submission;
  return {
    id,
    input: isIncomplete(assignment) ? undefined : input,
    policy: Object.keys(policy).length > 0 ? policy : undefined,
    s3Config,
    webhook,
    batchId,
  };
}

/** `GET /job-take/{worker}`: one job; held while there is none, then 204. */
export const take: Operate = (call) =>
  withWorkerId(call, (workerId) =>
    call.endpoint.remote
      .take(workerId, 1)
      .pipe(map(([assignment]) => (assignment ? json(200, jobForWorker(assignment)) : empty(204)))),
  );

/** `GET /job-take-batch/{worker}?batch_size=…`: a list of up to `batch_size` jobs; held while there is none, then 204. */
export const takeBatch: Operate = (call) =>
  withWorkerId(call, (workerId) => {
    const size = Number(call.query.get('batch_size') ?? 1);
    if (!Number.isInteger(size) || size < 1) return of(badRequest('batch_size: must be a whole number of at least 1'));
    return call.endpoint.remote
      .take(workerId, Math.min(size, MAX_JOBS_PER_TAKE))
      .pipe(map((assignments) => (assignments.length > 0 ? json(200, assignments.map(jobForWorker)) : empty(204))));
  });

/** `GET /job-stop/{worker}`: the ids of jobs that the worker shall stop; held while there are none, then 204. */
export const stop: Operate = (call) =>
  withWorkerId(call, (workerId) =>
    call.endpoint.remote
      .stops(workerId)
      .pipe(map((jobsToStop) => (jobsToStop.length > 0 ? json(200, { jobsToStop }) : empty(204)))),
  );

/** `GET /ping/{worker}?job_id=…,…`: a sign of life for the worker and for the named jobs. */
export const ping: Operate = (call) =>
  withWorkerId(call, (workerId) => {
    const jobIds = call.query.getAll('job_id').flatMap((ids) => ids.split(','));
    call.endpoint.remote.ping(workerId, jobIds);
    return of(empty(200));
  });

/** Accepts a worker's post for a job that the worker runs. */
function withAssignment(
  call: OperationCall,
  accept: (assignment: Assignment, body: PostMembers) => Answer,
): Observable<Answer> {
  return withWorkerId(call, (workerId) => {
    const { remote, queue, desk } = call.endpoint;
    const assignment = remote.assignmentFor(workerId, call.jobId);
    if (!assignment) {
      // A worker posts its result again if the first answer was lost: accept the repetition.
      const runs = queue.find(call.jobId)?.runs ?? [];
      const reported = runs.some((run) => run.workerId === workerId && run.outcome === 'reported');
      return of(reported ? empty(200) : jobNotFound());
    }
    const body = readPost(call.request);
    if (body.kind === 'members') return of(accept(assignment, body.members));
    // The service was seen to refuse a result that is too large, and to complete the job without an output.
    if (body.kind === 'too-large') desk.done(assignment, {});
    return of(badRequest(body.reason));
  });
}

/** `POST /job-done/{worker}/{job}`: a progress update if its status is IN_PROGRESS, else the result. */
export const done: Operate = (call) =>
  withAssignment(call, (assignment, { status, output, error, stopPod }) => {
    const { desk, remote } = call.endpoint;
    if (status === 'IN_PROGRESS') {
      desk.progress(assignment, output);
      return empty(200);
    }
    if (stopPod === true) remote.refresh(assignment.run.workerId);
    desk.done(assignment, { ...(output !== undefined && { output }), ...(Boolean(error) && { error }) });
    return empty(200);
  });

/** `POST /job-stream/{worker}/{job}`: the next chunk. */
export const chunk: Operate = (call) =>
  withAssignment(call, (assignment, { output }) => {
    if (output === undefined) return badRequest('output: missing');
    call.endpoint.desk.chunk(assignment, output);
    return empty(200);
  });
