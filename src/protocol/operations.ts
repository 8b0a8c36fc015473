import type { Operation, OperationKind } from '../types/Operation.js';
import type { OperationLimits } from '../types/Limits.js';

/** What the client knows of one operation. */
export interface OperationRow {
  readonly method: 'GET' | 'POST';
  readonly kind: OperationKind;
  /**
   * Whether a failed request is sent again only after a failure that shows that the server did not accept it (429, or no
   * connection). Reading a stream takes chunks away and purging removes jobs, so these are careful like submissions.
   */
  readonly careful: boolean;
  /** The documented bound; absent where none is documented. */
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
 * Limits: RunPod documentation, "Send API requests", section on rate limits; per endpoint and operation. What each running
 * worker adds up to is from the same page as of December 2024; the current one names the rule without the numbers.
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

/** What the limits and rules of an operation go by: the first part of its path. */
export function operationName(operation: Operation): string {
  const end = operation.indexOf('/');
  return end < 0 ? operation : operation.slice(0, end);
}

/** The row of an operation; one that is not in the table is judged by its HTTP method, with nothing assumed. */
export function operationRow(operation: Operation, method = 'GET'): OperationRow {
  const name = operationName(operation);
  const row = Object.hasOwn(operations, name) ? operations[name] : undefined;
  // A read that is made by another method than GET is none that is known.
  if (row && (row.kind !== 'read' || method === 'GET')) return row;
  return method === 'GET' ? read() : submission();
}

/**
 * Whether a status says for certain that the server did not act on the request: a 4xx but for 408, and the redirects
 * that ask for the same request elsewhere.
 */
export function isRefusal(status: number): boolean {
  return (status >= 400 && status < 500 && status !== 408) || status === 307 || status === 308;
}
