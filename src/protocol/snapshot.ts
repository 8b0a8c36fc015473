import type { JobSnapshot, JobStatus, TerminalSnapshot } from '../types/JobSnapshot.js';
import { isJobId } from './checks.js';
import { parseFailure } from './failure.js';
import { isRecord, parseJson, type JsonParser } from './json.js';
import { lacking } from './message.js';
import { wholeNumber } from './numbers.js';
import { guarded, type Parsed } from './Parsed.js';
import { clip } from './text.js';

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

/** Options of {@link snapshotOf}. */
export interface SnapshotOptions {
  /** The id of the job that was asked for, used where the answer has none. An answer about another job is an issue. */
  readonly id?: string | undefined;
  /**
   * Whether the answer is that to a submission. An id is enough then: the answer must not be lost for want of a status. But it
   * must be an id by which the job can be asked for.
   */
  readonly lenient?: boolean;
}

/** Options of {@link parseSnapshot}. */
export interface ParseSnapshotOptions extends SnapshotOptions {
  /**
   * Parses the text.
   * @defaultValue `JSON.parse`
   */
  readonly parse?: JsonParser | undefined;
}

/** Reads a job from the text of an answer. */
export function parseSnapshot(text: string, { parse, ...options }: ParseSnapshotOptions = {}): Parsed<JobSnapshot> {
  const body = parseJson(text, parse);
  if (!isRecord(body)) {
    return { issue: text.trim() ? `is not a JSON object: ${clip(text, 80)}` : 'is empty' };
  }
  return snapshotOf(body, options);
}

/** Reads a job from a parsed job object, such as a webhook's body. Throws nothing, whatever the object is. */
export function snapshotOf(
  body: Readonly<Record<string, unknown>>,
  options: SnapshotOptions = {},
): Parsed<JobSnapshot> {
  return guarded(() => readSnapshot(body, options));
}

function readSnapshot(
  body: Readonly<Record<string, unknown>>,
  { id, lenient = false }: SnapshotOptions,
): Parsed<JobSnapshot> {
  if (isAboutAnother(body, id)) return { issue: 'is about another job' };
  const ownId = typeof body.id === 'string' && body.id ? body.id : id;
  const rawStatus = typeof body.status === 'string' ? body.status : '';
  if (!ownId || (!rawStatus && !(lenient && body.id && !body.error))) {
    return lacking(ownId ? 'status' : 'id', body);
  }
  if (lenient && !isJobId(ownId))
    return { issue: `has the id ${JSON.stringify(clip(ownId, 80))}, by which no job can be asked for` };
  const { output, error } = body;
  const base: Record<string, unknown> = { id: ownId, rawStatus, raw: body };
  for (const key of ['delayTime', 'executionTime', 'retries']) {
    const number = wholeNumber(body[key]);
    if (number !== undefined) base[key] = number;
  }
  if (typeof body.workerId === 'string') base.workerId = body.workerId;
  const status = statusOf(rawStatus);
  base.status = status;
  if (status === 'FAILED' || (status === 'TIMED_OUT' && error !== undefined)) base.error = parseFailure(error);
  // While a job runs, `output` holds its latest progress update.
  if (status === 'COMPLETED' || output !== undefined) base[isTerminalStatus(status) ? 'output' : 'progress'] = output;
  // The fields above are those that the union has for the status.
  return { value: base as unknown as JobSnapshot };
}

/** Whether an answer names a job, and another one than was asked for. */
export function isAboutAnother({ id }: Readonly<Record<string, unknown>>, asked: string | undefined): boolean {
  const namesNone = id === undefined || id === null || id === '';
  return asked !== undefined && !namesNone && id !== asked;
}

/** The status for the word that the service wrote. */
function statusOf(rawStatus: string): string {
  // The RunPod documentation has RUNNING as another name of IN_PROGRESS.
  if (rawStatus === 'RUNNING') return 'IN_PROGRESS';
  return KNOWN.includes(rawStatus) ? rawStatus : 'UNKNOWN';
}
