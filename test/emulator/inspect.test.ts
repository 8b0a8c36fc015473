import { describe, expect, test } from 'vitest';
import { faultNames, readFaults } from 'runpod-rx/testing';
import type { EmulatorOptions } from 'runpod-rx/testing';
import { world } from './world.js';

const start = (options: Partial<EmulatorOptions> = {}) => {
  const w = world({ endpoints: { demo: { handler: () => 'done' } }, ...options });
  const control = (method: string, path: string, body?: unknown) => {
    const { status, text } = w.send(method as 'GET', `../__emulator/${path}`, body);
    return { status, body: JSON.parse(text || 'null') as unknown };
  };
  return { ...w, control };
};

describe('faults while the emulator runs', () => {
  test('can be added and removed by the API', () => {
    const { emulator, send } = start();
    const ids = emulator.faults.add({ 'empty-502': { on: 'health' }, 'empty-429': { on: 'run' } });
    expect(send('GET', 'demo/health').status).toBe(502);
    expect(send('POST', 'demo/run', { input: { x: 1 } }).status).toBe(429);
    expect(emulator.faults.list()).toEqual([
      { id: 1, rule: { fault: 'empty-502', on: 'health' }, seen: 1, struck: 1 },
      { id: 2, rule: { fault: 'empty-429', on: 'run' }, seen: 1, struck: 1 },
    ]);
    expect(emulator.faults.remove([ids[0]!, 77])).toBe(1);
    expect(send('GET', 'demo/health').status).toBe(200);
    emulator.faults.clear();
    expect(send('POST', 'demo/run', { input: { x: 1 } }).status).toBe(200);
  });

  test('can be added and removed by requests', () => {
    const { control, send } = start();
    expect(control('GET', 'faults')).toEqual({ status: 200, body: { faults: [] } });
    const first = { id: 1, rule: { fault: 'empty-502', nth: 1 }, seen: 0, struck: 0 };
    expect(control('POST', 'faults', { fault: 'empty-502', nth: 1 })).toEqual({
      status: 200,
      body: { faults: [first] },
    });
    expect([send('GET', 'demo/health').status, send('GET', 'demo/health').status]).toEqual([502, 200]);
    expect(control('POST', 'faults', { answer: { status: 503 } }).body).toMatchObject({
      faults: [{ id: 1, seen: 2, struck: 1 }, { id: 2 }],
    });
    expect(send('GET', 'demo/health').status).toBe(503);
    expect(control('DELETE', 'faults/2')).toMatchObject({ status: 200, body: { faults: [{ id: 1 }] } });
    expect(control('DELETE', 'faults/2')).toEqual({ status: 404, body: { error: 'there is no fault 2' } });
    expect(control('PUT', 'faults', [{ fault: 'empty-429' }])).toMatchObject({
      status: 200,
      body: { faults: [{ id: 3 }] },
    });
    expect(send('GET', 'demo/health').status).toBe(429);
    expect(control('DELETE', 'faults')).toEqual({ status: 200, body: { faults: [] } });
    expect(send('GET', 'demo/health').status).toBe(200);
  });

  test.each<[unknown, string]>([
    ['{', 'body: invalid json'],
    ['7', 'faults: must be a rule, a list of rules, or an object of faults by name'],
    [[1], 'a fault: must be an object with a member `fault`'],
    [{ fault: 'fire' }, `there is no fault "fire"; there is ${faultNames.join(', ')}`],
    [{ fire: 1 }, `there is no fault "fire"; there is ${faultNames.join(', ')}`],
    [{ 'empty-502': 2 }, 'empty-502.probability: must be between 0 and 1'],
    [{ 'empty-502': { nth: [0] } }, 'empty-502.nth: must be a whole number of at least 1, or a list of such'],
    [{ fault: 'answer', status: '500' }, 'answer.status: must be 200 to 599'],
    [{ fault: 'answer', headers: { a: 1 } }, 'answer.headers: must be an object of texts'],
    [{ fault: 'latency', after: -1 }, 'latency.after: must be milliseconds, 0 or more'],
    [{ fault: 'answer', __proto__: 1, constructor: 1 }, 'answer: there is no "constructor"; there is on, endpoint'],
    [{ fault: 'answer', when: 'x' }, 'answer: there is no "when"; there is on, endpoint'],
  ])('%j is refused, and changes nothing', (body, error) => {
    const { control, emulator } = start({ faults: { latency: 0 } });
    for (const method of ['POST', 'PUT']) {
      expect(control(method, 'faults', body)).toEqual({
        status: 400,
        body: { error: expect.stringContaining(error) },
      });
    }
    expect(emulator.faults.list()).toHaveLength(1);
  });

  test('a list that is too long is refused', () => {
    expect(start().control('POST', 'faults', ' '.repeat(1024 * 1024 + 1))).toMatchObject({ status: 400 });
  });

  test('can be any fault of the list of names', () => {
    expect(faultNames.flatMap((fault) => readFaults({ [fault]: 1 }))).toEqual(
      faultNames.map((fault) => ({ fault, probability: 1 })),
    );
  });
});

describe('inspection', () => {
  test('answers the state: endpoints, requests and faults', () => {
    const { emulator, control, submit, send, until } = start({
      endpoints: { demo: { handler: (_, { delay }) => delay(1_000) }, idle: {} },
      faults: [
        { fault: 'reset-after', on: 'health' },
        { fault: 'empty-502', on: 'purge-queue' },
      ],
    });
    submit();
    const held = send('GET', `demo/stream/${submit()}`);
    send('GET', 'demo/health');
    send('POST', 'demo/purge-queue');
    send('GET', 'demo/frob');
    held.subscription.unsubscribe();
    until(0);
    const nothing = { idle: 0, initializing: 0, ready: 0, running: 0, throttled: 0, unhealthy: 0 };
    const expected = {
      now: 0,
      endpoints: {
        demo: {
          jobs: { completed: 0, failed: 0, inProgress: 2, inQueue: 0, retried: 0 },
          workers: { ...nothing, running: 2 },
        },
        idle: { jobs: { completed: 0, failed: 0, inProgress: 0, inQueue: 0, retried: 0 }, workers: nothing },
      },
      requests: {
        total: 6,
        aborted: 1,
        failed: 1,
        byOperation: { run: 2, health: 1, 'purge-queue': 1, unknown: 1, stream: 1 },
        byStatus: { 200: 2, 400: 1, 502: 1 },
        byFault: { 'reset-after': 1, 'empty-502': 1 },
      },
      faults: [
        { id: 1, rule: { fault: 'reset-after', on: 'health' }, seen: 1, struck: 1 },
        { id: 2, rule: { fault: 'empty-502', on: 'purge-queue' }, seen: 1, struck: 1 },
      ],
    };
    expect(emulator.state()).toEqual(expected);
    expect(control('GET', 'state')).toEqual({ status: 200, body: expected });
  });

  test('answers the jobs and requests of the ledger', () => {
    const { emulator, control, submit, until } = start();
    submit();
    until(10);
    expect(control('GET', 'jobs').body).toEqual(JSON.parse(JSON.stringify(emulator.jobs())));
    expect(control('GET', 'requests').body).toEqual(JSON.parse(JSON.stringify(emulator.requests())));
    expect(emulator.jobs()).toHaveLength(1);
  });

  test('does not appear in the ledger, and is not subject to faults, keys or limits', () => {
    const { emulator, control } = start({ faults: { 'reset-before': 1 }, keys: ['a-secret-key'] });
    expect(control('GET', 'state').status).toBe(200);
    expect(emulator.requests()).toEqual([]);
  });

  test.each([
    ['GET', '', 404],
    ['GET', 'frob', 404],
    ['GET', 'state/x', 404],
    ['GET', 'faults/1/x', 404],
    ['POST', 'state', 405],
    ['PATCH', 'faults', 405],
    ['GET', 'faults/1', 405],
    ['DELETE', 'faults/x', 404],
  ])('%s %s: %d', (method, path, status) => {
    expect(start().control(method, path).status).toBe(status);
  });

  test('is served below the root only: a job of the same name is a job', () => {
    expect(start().send('GET', 'demo/status/__emulator/state')).toMatchObject({
      status: 404,
      text: '{"error":"job not found"}',
    });
  });
});
