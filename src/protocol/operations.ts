import type { Operation, OperationKind } from '../types/Operation.js';
import type { OperationLimits } from '../types/Limits.js';

/** What the client knows about one operation. */
export interface OperationRow {
  readonly method: 'GET' | 'POST';
  readonly kind: OperationKind;
  /**
   * Whether the client repeats a failed request only when the server cannot have acted on it: after a 429, or without a
   * connection (see `statusRules.ts`). Submissions are careful because each costs money. Reading a stream is careful
   * because it takes chunks from the server, and a purge because it removes jobs.
   */
  readonly careful: boolean;
  /** The documented limits; absent where none are documented. */
  readonly limits?: OperationLimits;
}

function submission(limits?: OperationLimits): OperationRow {
  return { method: 'POST', kind: 'submission', careful: true, limits };
}

function command(careful: boolean, limits: OperationLimits): OperationRow {
  return { method: 'POST', kind: 'command', careful, limits };
}

function read(limits?: OperationLimits, careful = false): OperationRow {
  return { method: 'GET', kind: 'read', careful, limits };
}

const READS: OperationLimits = { requests: 2000, concurrent: 400, perWorker: 400 };

/**
 * Every operation of the queue API, one row each.
 *
 * The limits hold for each endpoint and operation. They are from the RunPod documentation, "Send API requests", section on
 * rate limits. `perWorker` is from the same page as of December 2024; the current page has the rule without the numbers.
 */
export const operations: Readonly<Record<string, OperationRow>> = {
  run: submission({ requests: 1000, concurrent: 200, perWorker: 200 }),
  runsync: submission(READS),
  retry: submission(),
  status: read(READS),
  'status-sync': read(READS),
  stream: read({ ...READS, perWorker: 0 }, true),
  cancel: command(false, { requests: 100, concurrent: 20, perWorker: 20 }),
  'purge-queue': command(true, { requests: 2 }),
  health: read(),
  requests: read({ requests: 10, concurrent: 2 }),
};

/** The name under which an operation has its row and its limits: the first part of its path. */
export function operationName(operation: Operation): string {
  const end = operation.indexOf('/');
  return end < 0 ? operation : operation.slice(0, end);
}

/** The row of an operation. An operation that is not in the table counts as a read with GET, and else as a submission. */
export function operationRow(operation: Operation, method = 'GET'): OperationRow {
  const name = operationName(operation);
  const row = Object.hasOwn(operations, name) ? operations[name] : undefined;
  // With another method than GET, a known read is an unknown operation.
  if (row && (row.kind !== 'read' || method === 'GET')) return row;
  return method === 'GET' ? read() : submission();
}
