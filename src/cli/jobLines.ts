import type { JobRecord, WireStatus } from '../emulator/index.js';
import { printable } from './printable.js';
import { seconds } from './seconds.js';
import { line, paint, type Text } from './Text.js';

const STYLES = {
  IN_QUEUE: 'dim',
  IN_PROGRESS: 'cyan',
  COMPLETED: 'green',
  FAILED: 'red',
  CANCELLED: 'yellow',
  TIMED_OUT: 'red',
} as const satisfies Record<WireStatus, string>;

/** Returns a function that gives a line for each job whose state has changed since the last call. */
export function jobLines(): (jobs: readonly JobRecord[]) => Text[] {
  let seen = new Map<string, string>();
  return (jobs) => {
    const latest = new Map(jobs.map((job) => [job.id, stateOf(job)]));
    const changed = jobs.filter((job) => seen.get(job.id) !== latest.get(job.id));
    seen = latest;
    return changed.map(lineOf);
  };
}

function stateOf({ status, runs, renewals }: JobRecord): string {
  return `${status} ${runs.length} ${renewals}`;
}

function lineOf(job: JobRecord): Text {
  const { id, endpointId, status } = job;
  const more = details(job);
  const begin = line`${endpointId}  ${paint('dim', id)}  ${paint(STYLES[status], status)}`;
  return more === '' ? begin : line`${begin}  ${paint('dim', more)}`;
}

function details({ status, end, runs, submittedAt, executionMs, chunks, error }: JobRecord): string {
  const run = runs.at(-1);
  if (status === 'IN_QUEUE') return runs.length > 0 ? 'again' : '';
  const waited = run && `waited ${seconds(run.startedAt - submittedAt)}`;
  if (status === 'IN_PROGRESS') return [waited, run && `worker ${run.workerId}`].filter(Boolean).join(', ');
  return [
    end === 'purged' || end === 'expired' ? end : undefined,
    waited,
    run && `ran ${seconds(executionMs)}`,
    chunks.length > 0 && `${chunks.length} chunks`,
    error !== undefined && `error: ${firstLine(error)}`,
  ]
    .filter(Boolean)
    .join(', ');
}

/** The text that a string of JSON holds. A text that is no such string stays as it is. */
function unescaped(text: string): string {
  try {
    return String(JSON.parse(`"${text}"`));
  } catch {
    return text;
  }
}

/** The first line of an error's message. The error of a handler that threw is a string that holds JSON. */
function firstLine(error: unknown): string {
  const text = typeof error === 'string' ? error : JSON.stringify(error);
  const [, message] = /"error_message"\s*:\s*"((?:[^"\\]|\\.)*)"/.exec(text) ?? [];
  const [first = ''] = (message === undefined ? text : unescaped(message)).split('\n').map(printable);
  return first.length > 100 ? `${first.slice(0, 99)}…` : first;
}
