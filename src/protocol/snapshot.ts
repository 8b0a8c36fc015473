import type { JobSnapshot, JobStatus, TerminalSnapshot } from '../types/JobSnapshot.js';
import { parseFailure } from './failure.js';
import { isRecord, parseJson, type JsonParser } from './json.js';
import { clip, lacking } from './message.js';
import type { Parsed } from './Parsed.js';

const TERMINAL = ['COMPLETED', 'FAILED', 'CANCELLED', 'TIMED_OUT'] satisfies readonly JobStatus[];
const KNOWN: readonly string[] = [...TERMINAL, 'IN_QUEUE', 'IN_PROGRESS'] satisfies JobStatus[];

/** Whether a status, as the service writes it, is final. */
export function isTerminalStatus(status: string): boolean {
  return (TERMINAL as readonly string[]).includes(status);
}

/** Whether a job is over: COMPLETED, FAILED, CANCELLED or TIMED_OUT. */
export function isTerminal<O>(snapshot: JobSnapshot<O>): snapshot is TerminalSnapshot<O> {
  return isTerminalStatus(snapshot.status);
}

/**
 * Reads a job from the text of an answer.
 *
 * @param id - the id that was asked for, where the answer may lack one
 * @param lenient - whether an id without a status will do: of a submission, the id is what must not be lost
 */
export function parseSnapshot(text: string, parse?: JsonParser, id?: string, lenient = false): Parsed<JobSnapshot> {
  const body = parseJson(text, parse);
  if (!isRecord(body)) {
    return { issue: text.trim() ? `is not a JSON object: ${clip(text.trim(), 80)}` : 'is empty' };
  }
  return snapshotOf(body, id, lenient);
}

/** Reads a job from a parsed job object, such as a webhook's body. */
export function snapshotOf(body: Readonly<Record<string, unknown>>, id?: string, lenient = false): Parsed<JobSnapshot> {
  const ownId = typeof body.id === 'string' && body.id ? body.id : id;
  const rawStatus = typeof body.status === 'string' ? body.status : '';
  if (!ownId || (!rawStatus && !(lenient && body.id && !body.error))) {
    return lacking(ownId ? 'status' : 'id', body);
  }
  const { output, error } = body;
  const base: Record<string, unknown> = { id: ownId, rawStatus, raw: body };
  for (const key of ['delayTime', 'executionTime', 'retries']) if (typeof body[key] === 'number') base[key] = body[key];
  if (typeof body.workerId === 'string') base.workerId = body.workerId;
  const status = KNOWN.includes(rawStatus) ? rawStatus : rawStatus === 'RUNNING' ? 'IN_PROGRESS' : 'UNKNOWN';
  base.status = status;
  if (status === 'FAILED' || (status === 'TIMED_OUT' && error !== undefined)) base.error = parseFailure(error);
  // While a job runs, its latest progress stands where its output will be.
  if (status === 'COMPLETED' || output !== undefined) base[isTerminalStatus(status) ? 'output' : 'progress'] = output;
  // The fields were put together by status, as the union has them.
  return { value: base as unknown as JobSnapshot };
}
