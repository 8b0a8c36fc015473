import type { ErrorContext, JobSnapshot, Reply } from '../index.js';
import { isRecord, parseJson } from '../protocol/json.js';
import { snapshotOf } from '../protocol/snapshot.js';
import { unreadable } from './BatchSummary.js';

/** A request of a batch, as the list of its batch shows it. Its output is in its own status: `endpoint.status(id)`. */
export interface BatchChild {
  /** The id of the request, and of the job that it becomes. */
  readonly id: string;
  /** What the list says of the job. */
  readonly snapshot: JobSnapshot;
  /** When it began to run, in milliseconds since 1970. */
  readonly startedAt?: number;
  /** When it ended, in milliseconds since 1970. */
  readonly completedAt?: number;
}

/** One page of the requests of a batch. */
export interface ChildrenPage {
  readonly children: readonly BatchChild[];
  /** How many entries the page has, also those that cannot be read. */
  readonly size: number;
  readonly hasMore: boolean;
}

/** Reads a page of the requests of a batch. Throws `ResponseError` where the answer is none. */
export function readChildren({ text }: Reply, context: ErrorContext): ChildrenPage {
  const body = parseJson(text);
  if (!isRecord(body) || !Array.isArray(body.requests)) throw unreadable(text, context);
  const requests: readonly unknown[] = body.requests;
  return {
    children: requests.flatMap((one) => childOf(one) ?? []),
    size: requests.length,
    hasMore: body.hasMore === true,
  };
}

function childOf(body: unknown): BatchChild | undefined {
  if (!isRecord(body)) return undefined;
  const parsed = snapshotOf(body);
  if (!('value' in parsed)) return undefined;
  const startedAt = dateOf(body.startedAt);
  const completedAt = dateOf(body.completedAt);
  return {
    id: parsed.value.id,
    snapshot: parsed.value,
    ...(startedAt !== undefined && { startedAt }),
    ...(completedAt !== undefined && { completedAt }),
  };
}

function dateOf(value: unknown): number | undefined {
  const time = typeof value === 'string' ? Date.parse(value) : NaN;
  return Number.isNaN(time) ? undefined : time;
}
