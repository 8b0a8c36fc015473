import type { Operation, OperationKind } from '../types/Operation.js';
import type { OperationLimits } from '../types/Limits.js';

/** What the client knows of one operation. */
export interface OperationRow {
  readonly method: 'GET' | 'POST';
  readonly kind: OperationKind;
  /**
   * When a failed request may be sent again: `any` failure, or only one after which the server `unaccepted` it for
   * certain (429, or no connection). Reading a stream takes chunks away and purging removes jobs, so both are careful.
   */
  readonly repeat: 'any' | 'unaccepted';
  /** The documented bound; absent where none is documented. */
  readonly limits?: OperationLimits;
}

/**
 * Every operation of the queue API, one row each.
 * Limits: RunPod documentation, "Send API requests", section on rate limits; per endpoint and operation.
 */
export const operations: Readonly<Record<string, OperationRow>> = {
  run: { method: 'POST', kind: 'submission', repeat: 'unaccepted', limits: { requests: 1000, concurrent: 200 } },
  runsync: { method: 'POST', kind: 'submission', repeat: 'unaccepted', limits: { requests: 2000, concurrent: 400 } },
  retry: { method: 'POST', kind: 'submission', repeat: 'unaccepted' },
  status: { method: 'GET', kind: 'read', repeat: 'any', limits: { requests: 2000, concurrent: 400 } },
  'status-sync': { method: 'GET', kind: 'read', repeat: 'any', limits: { requests: 2000, concurrent: 400 } },
  stream: { method: 'GET', kind: 'read', repeat: 'unaccepted', limits: { requests: 2000, concurrent: 400 } },
  cancel: { method: 'POST', kind: 'command', repeat: 'any', limits: { requests: 100, concurrent: 20 } },
  'purge-queue': { method: 'POST', kind: 'command', repeat: 'unaccepted', limits: { requests: 2 } },
  health: { method: 'GET', kind: 'read', repeat: 'any' },
  requests: { method: 'GET', kind: 'read', repeat: 'any', limits: { requests: 10, concurrent: 2 } },
};

/** The row of an operation; one that is not in the table is judged by its HTTP method, with nothing assumed. */
export function operationRow(operation: Operation, method: string): OperationRow {
  const known = Object.hasOwn(operations, operation) ? operations[operation] : undefined;
  if (known) return known;
  return method === 'GET'
    ? { method: 'GET', kind: 'read', repeat: 'any' }
    : { method: 'POST', kind: 'submission', repeat: 'unaccepted' };
}

/**
 * Whether a status says for certain that the server did not act on the request: a 4xx but for 408, and the redirects
 * that ask for the same request elsewhere.
 */
export function isRefusal(status: number): boolean {
  return (status >= 400 && status < 500 && status !== 408) || status === 307 || status === 308;
}
