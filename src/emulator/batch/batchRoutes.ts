import { defer, of } from 'rxjs';
import { MAX_RUN_BODY } from '../../protocol/limits.js';
import { badRequest, empty, json, type Answer } from '../model/answers.js';
import { exceeds } from '../model/bytes.js';
import type { EmulatorRequest } from '../model/EmulatorRequest.js';
import type { Submission } from '../model/JobModel.js';
import type { OperationCall, Operate } from '../operations/OperationCall.js';
import { submissionOf } from '../operations/submission.js';
import type { Batch } from './Batch.js';

/** Most requests on one page of a list, and how many where nothing is said. */
const PAGE = { most: 1_000, usual: 50 };

/** `/batch…`: makes, fills, starts, lists, names, reads and stops batches. */
export const batch: Operate = (call) => defer(() => of(answer(call)));

function answer(call: OperationCall): Answer {
  const { endpoint, request, path } = call;
  const { method } = request;
  const [id, subject, requestId, ...rest] = path;
  if (rest.length > 0) return notFound();
  if (id === undefined) return method === 'POST' ? create(call) : method === 'GET' ? list(call) : not('GET, POST');
  const found = endpoint.batches.find(id);
  if (!found) return notFound();
  if (requestId !== undefined) {
    if (subject !== 'requests') return notFound();
    return method === 'DELETE' ? remove(call, found, requestId) : not('DELETE');
  }
  switch (subject) {
    case undefined:
      return method === 'GET' ? json(200, found.summary()) : method === 'PUT' ? rename(call, found) : not('GET, PUT');
    case 'requests':
      return method === 'GET' ? page(call, found) : method === 'POST' ? append(call, found) : not('GET, POST');
    case 'finalize':
      return method === 'POST' ? changed(found, endpoint.batches.finalize(found)) : not('POST');
    case 'cancel':
      return method === 'POST' ? changed(found, endpoint.batches.cancel(found)) : not('POST');
    default:
      return notFound();
  }
}

function create({ endpoint, request }: OperationCall): Answer {
  const submissions = readList(request, (body) => body);
  if (typeof submissions === 'string') return badRequest(submissions);
  const made = endpoint.batches.create(submissions);
  return typeof made === 'string' ? badRequest(made) : json(200, { id: made.id, status: made.status });
}

function list({ endpoint }: OperationCall): Answer {
  return json(200, { batches: endpoint.batches.list().map((one) => one.summary()) });
}

function append({ endpoint, request }: OperationCall, found: Batch): Answer {
  const submissions = readList(request, (body) => member(body, 'requests'));
  if (typeof submissions === 'string') return badRequest(submissions);
  return changed(found, endpoint.batches.append(found, submissions));
}

function rename({ request }: OperationCall, found: Batch): Answer {
  const name = member(parsed(request), 'name');
  if (typeof name !== 'string' || name === '') return badRequest('name: must be text');
  found.name = name;
  return json(200, found.summary());
}

function remove({ endpoint }: OperationCall, found: Batch, requestId: string): Answer {
  const refusal = endpoint.batches.remove(found, requestId);
  return refusal === 'unknown' ? json(404, { error: 'request not found' }) : changed(found, refusal);
}

function page({ query }: OperationCall, found: Batch): Answer {
  const offset = numberOf(query.get('offset'), 0, 0);
  const limit = Math.min(numberOf(query.get('limit'), 1, PAGE.usual), PAGE.most);
  const total = found.requests.length;
  const requests = found.requests.slice(offset, offset + limit).map((one) => found.describe(one));
  return json(200, { requests, total, offset, limit, hasMore: offset + requests.length < total });
}

/** A whole number of at least `least`, else `byDefault`. */
function numberOf(text: string | null, least: number, byDefault: number): number {
  const value = text === null || text === '' ? NaN : Number(text);
  return Number.isSafeInteger(value) && value >= least ? value : byDefault;
}

function changed(found: Batch, refusal: string | undefined): Answer {
  return refusal === undefined ? json(200, found.summary()) : badRequest(refusal);
}

/** The run bodies in a request, or what is wrong with one of them. */
function readList(request: EmulatorRequest, from: (body: unknown) => unknown): readonly Submission[] | string {
  if ((request.size ?? 0) > MAX_RUN_BODY || exceeds(request.body ?? '', MAX_RUN_BODY)) {
    return `body: exceeded max body size of ${MAX_RUN_BODY / 1024 / 1024}MiB`;
  }
  const bodies = from(parsed(request));
  if (!Array.isArray(bodies)) return 'requests: must be an array';
  const submissions: Submission[] = [];
  for (const [index, body] of bodies.entries()) {
    const read = submissionOf(body, 'run');
    if (typeof read === 'string') return `requests[${index}]: ${read}`;
    submissions.push(read);
  }
  return submissions;
}

function parsed({ body = '' }: EmulatorRequest): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

const notFound = (): Answer => json(404, { error: 'batch not found' });
const not = (allow: string): Answer => empty(405, { allow });
