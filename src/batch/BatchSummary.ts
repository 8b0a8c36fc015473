import { ResponseError, type ErrorContext, type Reply } from '../index.js';
import { isRecord, parseJson } from '../protocol/json.js';
import { wholeNumber } from '../protocol/numbers.js';
import { clip } from '../protocol/text.js';

/** The documented states of a batch, and `UNKNOWN` for one that this version does not know. */
export type BatchStatus = 'DRAFT' | 'FINALIZED' | 'FAILED' | 'CANCELLED' | 'UNKNOWN';

/** A batch as one answer of the service showed it. */
export interface BatchSummary {
  readonly id: string;
  readonly name?: string;
  readonly status: BatchStatus;
  /** The status as the service wrote it. */
  readonly rawStatus: string;
  /** How many requests it has. */
  readonly requestTotal: number;
  /** How many of them run. Those that wait do not count. */
  readonly requestInProgress: number;
  readonly requestCompleted: number;
  readonly requestFailed: number;
  /** When it was made, in milliseconds since 1970. */
  readonly createdAt?: number;
  /** The whole answer, as the service sent it. */
  readonly raw: Readonly<Record<string, unknown>>;
}

const STATUSES: readonly string[] = ['DRAFT', 'FINALIZED', 'FAILED', 'CANCELLED'] satisfies BatchStatus[];

/**
 * Whether nothing more will happen to a batch. One that is finalized stays FINALIZED, even if all its requests failed: it is over
 * when all of them are. So is one whose status is not known.
 */
export function isBatchOver({ status, requestTotal, requestCompleted, requestFailed }: BatchSummary): boolean {
  if (status === 'DRAFT') return false;
  if (status === 'FAILED' || status === 'CANCELLED') return true;
  return requestCompleted + requestFailed >= requestTotal;
}

/** Reads the answer about one batch. Throws `ResponseError` where it is none. */
export function readSummary({ text }: Reply, context: ErrorContext): BatchSummary {
  const summary = summaryOf(parseJson(text));
  if (!summary) throw unreadable(text, context);
  return summary;
}

/** Reads the list of batches, which may be the answer itself or its member `batches`: what it is called is not documented. */
export function readSummaries({ text }: Reply, context: ErrorContext): readonly BatchSummary[] {
  const body = parseJson(text);
  const list: unknown = isRecord(body) ? body.batches : body;
  if (!Array.isArray(list)) throw unreadable(text, context);
  return list.flatMap((one: unknown) => summaryOf(one) ?? []);
}

/** The error for an answer that cannot be read. */
export function unreadable(text: string, context: ErrorContext): ResponseError {
  return new ResponseError(`the answer cannot be read: ${clip(text, 80)}`, context, { excerpt: clip(text, 300) });
}

function summaryOf(body: unknown): BatchSummary | undefined {
  if (!isRecord(body) || typeof body.id !== 'string' || typeof body.status !== 'string') return undefined;
  const { id, name, status, createdAt } = body;
  return {
    id,
    ...(typeof name === 'string' && name !== '' && { name }),
    status: STATUSES.includes(status) ? (status as BatchStatus) : 'UNKNOWN',
    rawStatus: status,
    requestTotal: wholeNumber(body.requestTotal) ?? 0,
    requestInProgress: wholeNumber(body.requestInProgress) ?? 0,
    requestCompleted: wholeNumber(body.requestCompleted) ?? 0,
    requestFailed: wholeNumber(body.requestFailed) ?? 0,
    ...(isTime(createdAt) && { createdAt }),
    raw: body,
  };
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}
