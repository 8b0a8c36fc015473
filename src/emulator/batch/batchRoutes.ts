import { defer, of } from 'rxjs';
import { MAX_RUN_BODY } from '../../protocol/limits.js';
import { badRequest, empty, json, type Answer } from '../model/answers.js';
import { exceeds } from '../model/bytes.js';
import type { EmulatorRequest } from '../model/EmulatorRequest.js';
import type { Submission } from '../model/JobModel.js';
import type { OperationCall, Operate } from '../operations/OperationCall.js';
import { RelayedJson, readItems, readMembers } from '../model/relayed.js';
import { submissionOf } from '../operations/submission.js';
import type { Batch } from './Batch.js';

/** Requests on one page of a list: the maximum, and the default. */
const MAX_PAGE_SIZE = 1_000;
const DEFAULT_PAGE_SIZE = 50;

/** `/batch…`: creates, fills, finalizes, lists, renames, reads and cancels batches. */
export const batch: Operate = (call) => defer(() => of(answer(call)));

function answer(call: OperationCall): Answer {
  const [id, subject, requestId, ...rest] = call.path;
  if (rest.length > 0) return notFound();
  if (id === undefined) return answerAll(call);
  const found = call.endpoint.batches.find(id);
  if (!found) return notFound();
  if (requestId === undefined) return answerOne(call, found, subject);
  if (subject !== 'requests') return notFound();
  return call.request.method === 'DELETE' ? remove(call, found, requestId) : notAllowed('DELETE');
}

/** `/batch`. */
function answerAll(call: OperationCall): Answer {
  switch (call.request.method) {
    case 'GET':
      return list(call);
    case 'POST':
      return create(call);
    default:
      return notAllowed('GET, POST');
  }
}

/** `/batch/{id}` and `/batch/{id}/{subject}`. */
function answerOne(call: OperationCall, found: Batch, subject: string | undefined): Answer {
  const { endpoint, request } = call;
  const { method } = request;
  switch (subject) {
    case undefined:
      if (method === 'GET') return json(200, found.summary());
      return method === 'PUT' ? rename(call, found) : notAllowed('GET, PUT');
    case 'requests':
      if (method === 'GET') return page(call, found);
      return method === 'POST' ? append(call, found) : notAllowed('GET, POST');
    case 'finalize':
      return method === 'POST' ? changed(found, endpoint.batches.finalize(found)) : notAllowed('POST');
    case 'cancel':
      return method === 'POST' ? changed(found, endpoint.batches.cancel(found)) : notAllowed('POST');
    default:
      return notFound();
  }
}

function create({ endpoint, request }: OperationCall): Answer {
  const submissions = readList(request, readItems);
  if (typeof submissions === 'string') return badRequest(submissions);
  const made = endpoint.batches.create(submissions);
  return typeof made === 'string' ? badRequest(made) : json(200, { id: made.id, status: made.status });
}

/** The newest first. */
function list({ endpoint }: OperationCall): Answer {
  return json(200, { batches: [...endpoint.batches.list()].reverse().map((one) => one.summary()) });
}

function append({ endpoint, request }: OperationCall, found: Batch): Answer {
  const submissions = readList(request, (body) => {
    const list = member(readMembers(body), 'requests');
    return list instanceof RelayedJson ? readItems(list.text) : list;
  });
  if (typeof submissions === 'string') return badRequest(submissions);
  return changed(found, endpoint.batches.append(found, submissions));
}

function rename({ request }: OperationCall, found: Batch): Answer {
  const name = member(
    orUndefined(() => JSON.parse(request.body ?? '')),
    'name',
  );
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
  const pageSize = Math.min(numberOf(query.get('limit'), 1, DEFAULT_PAGE_SIZE), MAX_PAGE_SIZE);
  const total = found.requests.length;
  const requests = found.requests.slice(offset, offset + pageSize).map((one) => found.describe(one));
  return json(200, { requests, total, offset, limit: pageSize, hasMore: offset + requests.length < total });
}

/** Reads a whole number of at least `min`; any other text gives `byDefault`. */
function numberOf(text: string | null, min: number, byDefault: number): number {
  const value = text === null || text === '' ? NaN : Number(text);
  return Number.isSafeInteger(value) && value >= min ? value : byDefault;
}

function changed(found: Batch, refusal: string | undefined): Answer {
  return refusal === undefined ? json(200, found.summary()) : badRequest(refusal);
}

/** Reads a list of run bodies by a function that throws on invalid JSON; returns the reason as text if one is wrong. */
function readList(request: EmulatorRequest, from: (body: string) => unknown): readonly Submission[] | string {
  if ((request.size ?? 0) > MAX_RUN_BODY || exceeds(request.body ?? '', MAX_RUN_BODY)) {
    return `body: exceeded max body size of ${MAX_RUN_BODY / 1024 / 1024}MiB`;
  }
  const bodies = orUndefined(() => from(request.body ?? ''));
  if (!Array.isArray(bodies)) return 'requests: must be an array';
  const submissions: Submission[] = [];
  for (const [index, body] of bodies.entries()) {
    const read = submissionOf(body, 'run');
    if (typeof read === 'string') return `requests[${index}]: ${read}`;
    submissions.push(read);
  }
  return submissions;
}

function orUndefined(read: () => unknown): unknown {
  try {
    return read();
  } catch {
    return undefined;
  }
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

const notFound = (): Answer => json(404, { error: 'batch not found' });
const notAllowed = (allow: string): Answer => empty(405, { allow });
