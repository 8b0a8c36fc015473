import { describe, expect, it } from 'vitest';
import { operationRow, operations } from '../../src/protocol/operations.js';
import { statusRule } from '../../src/protocol/statusRules.js';

describe('operations', () => {
  it('S23 have the documented limits', () => {
    const reads = { requests: 2000, concurrent: 400, perWorker: 400 };
    expect(operations).toStrictEqual({
      run: {
        method: 'POST',
        kind: 'submission',
        careful: true,
        limits: { requests: 1000, concurrent: 200, perWorker: 200 },
      },
      runsync: { method: 'POST', kind: 'submission', careful: true, limits: reads },
      retry: { method: 'POST', kind: 'submission', careful: true, limits: undefined },
      status: { method: 'GET', kind: 'read', careful: false, limits: reads },
      'status-sync': { method: 'GET', kind: 'read', careful: false, limits: reads },
      stream: { method: 'GET', kind: 'read', careful: true, limits: { ...reads, perWorker: 0 } },
      cancel: {
        method: 'POST',
        kind: 'command',
        careful: false,
        limits: { requests: 100, concurrent: 20, perWorker: 20 },
      },
      'purge-queue': { method: 'POST', kind: 'command', careful: true, limits: { requests: 2 } },
      health: { method: 'GET', kind: 'read', careful: false, limits: undefined },
      requests: { method: 'GET', kind: 'read', careful: false, limits: { requests: 10, concurrent: 2 } },
    });
  });

  it('S1 count as submissions where they are not known and use POST', () => {
    expect(operationRow('openai/v1/models')).toMatchObject({ kind: 'read', careful: false });
    expect(operationRow('openai/v1/chat/completions', 'POST')).toMatchObject({ kind: 'submission', careful: true });
    expect(operationRow('toString', 'POST')).toMatchObject({ kind: 'submission' });
    expect(operationRow('cancel', 'GET')).toBe(operations.cancel);
  });

  it.each(['stream/job-1', 'status/job-1?x=1', 'run/', 'cancel/a/b'])(
    'S16 S23 have the row of the first part of their path: %s',
    (operation) => {
      expect(operationRow(operation)).toBe(operations[operation.split('/')[0]!]);
    },
  );

  it('S16 have no row by a part of a name, nor a read with POST', () => {
    expect(operationRow('health', 'POST')).toMatchObject({ kind: 'submission', careful: true });
    expect(operationRow('status/job-1', 'POST')).toMatchObject({ kind: 'submission', careful: true });
    expect(operationRow('streams/job-1', 'POST')).toMatchObject({ kind: 'submission', careful: true });
    expect(operationRow('v1/stream', 'POST')).toMatchObject({ kind: 'submission', careful: true });
  });

  it.each([
    ...[400, 401, 403, 404, 409, 413, 422, 429, 499, 307, 308].map((status) => [status, true] as const),
    ...[200, 204, 301, 302, 303, 304, 399, 408, 500, 502, 503, 524].map((status) => [status, false] as const),
  ])('S1 a %i says for certain that nothing was accepted: %s', (status, refusal) => {
    expect(statusRule(status).refused).toBe(refusal);
  });
});
