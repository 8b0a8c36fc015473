import type { JobSnapshot, JobStatus, TerminalSnapshot } from '../types/JobSnapshot.js';
import { parseFailure } from './failure.js';
import { isRecord, parseJson, type JsonParser } from './json.js';
import { clip, messageOf } from './message.js';
import type { Parsed } from './Parsed.js';

const TERMINAL: readonly string[] = ['COMPLETED', 'FAILED', 'CANCELLED', 'TIMED_OUT'] satisfies JobStatus[];
const ALIVE: Readonly<Record<string, JobStatus>> = {
  IN_QUEUE: 'IN_QUEUE',
  IN_PROGRESS: 'IN_PROGRESS',
  RUNNING: 'IN_PROGRESS',
};

/** Whether a status, as the service writes it, is final. */
export function isTerminalStatus(status: string): boolean {
  return TERMINAL.includes(status);
}

/** Whether a job is over: COMPLETED, FAILED, CANCELLED or TIMED_OUT. */
export function isTerminal<O>(snapshot: JobSnapshot<O>): snapshot is TerminalSnapshot<O> {
  return isTerminalStatus(snapshot.status);
}

/**
 * Reads a job from the text of an answer.
 *
 * @param id - the id that was asked for, where the answer may lack one
 */
export function parseSnapshot(text: string, parse?: JsonParser, id?: string): Parsed<JobSnapshot> {
  const body = parseJson(text, parse);
  if (!isRecord(body)) {
    return { issue: text.trim() ? `is not a JSON object: ${clip(text.trim(), 80)}` : 'is empty' };
  }
  return snapshotOf(body, id);
}

/** Reads a job from a parsed job object, such as a webhook's body. */
export function snapshotOf(body: Readonly<Record<string, unknown>>, id?: string): Parsed<JobSnapshot> {
  const ownId = typeof body.id === 'string' && body.id ? body.id : id;
  if (typeof body.status !== 'string' || !body.status || !ownId) {
    const words = messageOf(body.error);
    return { issue: words ? `says: ${clip(words)}` : `has no ${ownId ? 'status' : 'id'}` };
  }
  const base = {
    id: ownId,
    rawStatus: body.status,
    raw: body,
    ...pick(body, 'delayTime', 'number'),
    ...pick(body, 'executionTime', 'number'),
    ...pick(body, 'workerId', 'string'),
    ...pick(body, 'retries', 'number'),
  };
  const has = (key: string) => Object.hasOwn(body, key);
  const output = has('output') ? { output: body.output } : {};
  switch (body.status) {
    case 'COMPLETED':
      return { value: { ...base, status: 'COMPLETED', output: body.output } };
    case 'FAILED':
      return { value: { ...base, status: 'FAILED', error: parseFailure(body.error), ...output } };
    case 'CANCELLED':
      return { value: { ...base, status: 'CANCELLED', ...output } };
    case 'TIMED_OUT':
      return {
        value: { ...base, status: 'TIMED_OUT', ...(has('error') && { error: parseFailure(body.error) }), ...output },
      };
    case 'IN_QUEUE':
      return { value: { ...base, status: 'IN_QUEUE' } };
    default:
      return {
        value: {
          ...base,
          status: ALIVE[body.status] === 'IN_PROGRESS' ? 'IN_PROGRESS' : 'UNKNOWN',
          ...(has('output') && { progress: body.output }),
        },
      };
  }
}

function pick(body: Readonly<Record<string, unknown>>, key: string, type: 'number' | 'string'): Record<string, never> {
  // The spread's type is narrowed by the caller's literal; an absent field stays absent.
  return (typeof body[key] === type ? { [key]: body[key] } : {}) as Record<string, never>;
}
