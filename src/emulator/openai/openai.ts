import { defer, map, of } from 'rxjs';
import { MAX_RUNSYNC_BODY, WAIT } from '../../protocol/limits.js';
import { badRequest, empty, json, jobNotFound, type Answer } from '../model/answers.js';
import { exceeds } from '../model/bytes.js';
import type { EmulatorRequest } from '../model/EmulatorRequest.js';
import { hold } from '../model/hold.js';
import type { JobModel } from '../model/JobModel.js';
import { shownOver } from '../model/jobBody.js';
import { relayed } from '../model/relayed.js';
import type { Operate } from '../operations/OperationCall.js';
import { failureOf, jobEvents } from './jobEvents.js';

/**
 * `/openai/v1/…`: the request becomes a job with the input `{ openai_route, openai_input }`. The job's result is the answer:
 * JSON, or server-sent events if the request has `stream: true`. A client that disconnects does not cancel the job.
 */
export const openai: Operate = (call) =>
  defer(() => {
    const { endpoint, path, request } = call;
    const route = `/${path.join('/')}`;
    const isRead = route === '/v1/models';
    if (!path.length || (request.method === 'GET') !== isRead) {
      return of(path.length ? empty(405, { allow: isRead ? 'GET' : 'POST' }) : json(404, { error: 'not found' }));
    }
    const input = isRead ? {} : readBody(request);
    if (typeof input === 'string') return of(badRequest(input));
    const { scheduler } = endpoint.settings;
    const text = isRead ? '{}' : (request.body ?? '{}');
    const job = endpoint.queue.submit({
      operation: 'runsync',
      policy: {},
      input: { openai_route: route, openai_input: input },
      wireInput: relayed(`{"openai_route":${JSON.stringify(route)},"openai_input":${text}}`),
    });
    call.onJobCreated(job);
    const streams = input.stream === true;
    const ready = (): boolean => shownOver(job) || (streams && job.chunks.waiting > 0);
    return hold(job, ready, Math.min(WAIT.max, job.ttl), scheduler).pipe(
      map(() => {
        if (!endpoint.queue.find(job.id)) return jobNotFound();
        // A job that fails before its first chunk is answered with an HTTP error instead of a stream.
        if (streams && (job.status !== 'FAILED' || job.chunks.waiting > 0)) {
          const headers = { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' };
          return { status: 200, headers, text: '', body$: jobEvents(job, scheduler) };
        }
        return shownOver(job) ? resultOf(job) : empty(504);
      }),
    );
  });

/** The answer for a job that is over. If the handler streams, its last chunk is the result. */
function resultOf(job: JobModel): Answer {
  if (job.status !== 'COMPLETED') return json(500, failureOf(job));
  const chunks = job.chunks.drain();
  const result = chunks.length > 0 ? chunks.at(-1) : job.report.output;
  return typeof result === 'string' ? { ...json(200, null), text: result } : json(200, result ?? null);
}

/** The body as an object; the reason as text if it is not one. */
function readBody({ body = '', size = 0 }: EmulatorRequest): Record<string, unknown> | string {
  if (size > MAX_RUNSYNC_BODY || exceeds(body, MAX_RUNSYNC_BODY)) {
    return `body: exceeded max body size of ${MAX_RUNSYNC_BODY / 1024 / 1024}MiB`;
  }
  try {
    const value: unknown = JSON.parse(body);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'body: must be an object';
    return value as Record<string, unknown>; // checked just above
  } catch {
    return 'body: invalid json';
  }
}
