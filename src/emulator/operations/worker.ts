import { defer, map, of, type Observable } from 'rxjs';
import { ID_PATTERN } from '../../protocol/limits.js';
import { badRequest, empty, json, jobNotFound, notAQueueRoute, type Answer } from '../model/answers.js';
import { valueOf } from '../model/relayed.js';
import { isIncomplete } from '../model/workOn.js';
import type { Assignment } from '../model/WorkerDesk.js';
import type { OperationCall, Operate } from './OperationCall.js';
import { readPost, type PostMembers } from './workerPost.js';

/** Longest accepted worker id, in characters. */
const MAX_WORKER_ID_LENGTH = 128;

/** Longest text of a failed check that is shown, in characters. The worker SDK sends no longer one. */
const MAX_REASON_LENGTH = 256;

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

/** Whether the worker says that it runs no job. A worker that says nothing may run some. */
function runsNone({ query }: OperationCall): boolean {
  return query.get('job_in_progress') === '0';
}

/** The job as a worker gets it. An empty input is left out, and the worker SDK then refuses the job. */
function jobForWorker(assignment: Assignment): Record<string, unknown> {
  const { id, submission } = assignment.job;
  const { wireInput, policy, s3Config, webhook, batchId } = submission;
  return {
    id,
    input: isIncomplete(assignment) ? undefined : wireInput,
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
      .take(workerId, 1, runsNone(call))
      .pipe(map(([assignment]) => (assignment ? json(200, jobForWorker(assignment)) : empty(204)))),
  );

/** `GET /job-take-batch/{worker}?batch_size=…`: a list of up to `batch_size` jobs; held while there is none, then 204. */
export const takeBatch: Operate = (call) =>
  withWorkerId(call, (workerId) => {
    const size = Number(call.query.get('batch_size') ?? 1);
    if (!Number.isInteger(size) || size < 1) return of(badRequest('batch_size: must be a whole number of at least 1'));
    return call.endpoint.remote
      .take(workerId, Math.min(size, MAX_JOBS_PER_TAKE), runsNone(call))
      .pipe(map((assignments) => (assignments.length > 0 ? json(200, assignments.map(jobForWorker)) : empty(204))));
  });

/** `GET /job-stop/{worker}`: the ids of jobs that the worker shall stop; held while there are none, then 204. */
export const stop: Operate = (call) =>
  withWorkerId(call, (workerId) =>
    call.endpoint.remote
      .stops(workerId)
      .pipe(map((jobsToStop) => (jobsToStop.length > 0 ? json(200, { jobsToStop }) : empty(204)))),
  );

/**
 * `GET /ping/{worker}?job_id=…,…`: a sign of life for the worker and for the named jobs. With `status=unhealthy` it says that
 * a check at the worker's start failed.
 */
export const ping: Operate = (call) =>
  withWorkerId(call, (workerId) => {
    const { query, endpoint } = call;
    if (query.get('status') === 'unhealthy') {
      logUnhealthy(call, workerId);
      endpoint.remote.reportUnhealthy(workerId);
      return of(empty(200));
    }
    const jobIds = query.getAll('job_id').flatMap((ids) => ids.split(','));
    endpoint.remote.ping(
      workerId,
      jobIds.filter((id) => ID_PATTERN.test(id)),
    );
    return of(empty(200));
  });

function logUnhealthy({ query, endpoint: { settings } }: OperationCall, workerId: string): void {
  const [check, reason] = ['check', 'reason'].map((name) => (query.get(name) ?? '').slice(0, MAX_REASON_LENGTH));
  const parts = [`worker ${workerId} is unhealthy: its check "${check ?? ''}" failed${reason ? `: ${reason}` : ''}`];
  settings.log({ at: settings.scheduler.now(), endpointId: settings.id, jobId: '', workerId, parts });
}

/**
 * Accepts a worker's post for a job that the worker runs. A post for a job that has ended changes nothing: a worker that has
 * not heard of the end yet, or repeats a post whose answer was lost, would repeat a refused post again and again.
 */
function withAssignment(
  call: OperationCall,
  accept: (assignment: Assignment, body: PostMembers) => Answer,
): Observable<Answer> {
  return withWorkerId(call, (workerId) => {
    const { remote, queue, desk } = call.endpoint;
    const assignment = remote.assignmentFor(workerId, call.jobId);
    if (!assignment) {
      const job = queue.find(call.jobId);
      const reported = job?.runs.some((run) => run.workerId === workerId && run.outcome === 'reported');
      return of(job?.over || reported ? empty(200) : jobNotFound());
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
    desk.done(assignment, { ...(output !== undefined && { output }), ...(Boolean(valueOf(error)) && { error }) });
    return empty(200);
  });

/** `POST /job-stream/{worker}/{job}`: the next chunk. */
export const chunk: Operate = (call) =>
  withAssignment(call, (assignment, { output }) => {
    if (output === undefined) return badRequest('output: missing');
    call.endpoint.desk.chunk(assignment, output);
    return empty(200);
  });
