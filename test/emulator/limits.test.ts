import { describe, expect, test } from 'vitest';
import { RequestQuota } from '../../src/emulator/model/RequestQuota.js';
import type { EmulatedEndpoint } from 'runpod-rx/testing';
import { world } from './world.js';

const idle: EmulatedEndpoint = { handler: () => 1, workers: 0 };

/** Sends `count` requests at once, and counts those that are admitted. */
function admitted(w: ReturnType<typeof world>, count: number, method: 'GET' | 'POST', path: string): number {
  let let_in = 0;
  for (let sent = 0; sent < count; sent += 1) if (w.send(method, path, { input: { x: 1 } }).status !== 429) let_in += 1;
  return let_in;
}

describe('the documented limits', () => {
  test.each([
    ['POST', 'demo/run', 1_000],
    ['GET', 'demo/status/x', 2_000],
    ['GET', 'demo/stream/x', 2_000],
    ['GET', 'demo/status-sync/x', 2_000],
    ['POST', 'demo/cancel/x', 100],
    ['POST', 'demo/purge-queue', 2],
    ['GET', 'demo/requests', 10],
  ] as const)('%s %s: %i in ten seconds', (method, path, limit) => {
    const w = world({ endpoints: { demo: idle, other: idle } });
    expect(admitted(w, limit + 1, method, path)).toBe(limit);
    expect(w.send(method, path, { input: { x: 1 } })).toMatchObject({
      status: 429,
      text: '',
      headers: { 'content-type': 'text/plain' },
    });
    expect(w.send(method, path.replace('demo', 'other'), { input: { x: 1 } }).status).not.toBe(429);
    expect(w.send('GET', 'demo/health').status).toBe(200);
    w.until(9_999);
    expect(w.send(method, path, { input: { x: 1 } }).status).toBe(429);
    w.until(10_000);
    expect(w.send(method, path, { input: { x: 1 } }).status).not.toBe(429);
  });

  test('400 held runsync requests at once; a request that ends or is aborted makes room for another', () => {
    const w = world({ endpoints: { demo: idle } });
    const held = Array.from({ length: 400 }, (_, index) =>
      w.send('POST', `demo/runsync?wait=${index === 0 ? 1_000 : 300_000}`, { input: { x: 1 } }),
    );
    expect(w.send('POST', 'demo/runsync', { input: { x: 1 } }).status).toBe(429);
    w.until(1_000);
    expect(held[0]?.status).toBe(200);
    expect(w.send('POST', 'demo/runsync', { input: { x: 1 } }).status).toBeUndefined();
    expect(w.send('POST', 'demo/runsync', { input: { x: 1 } }).status).toBe(429);
    held[1]!.subscription.unsubscribe();
    expect(w.send('POST', 'demo/runsync', { input: { x: 1 } }).status).toBeUndefined();
  });

  test('a refused request has no effect, and does not count', () => {
    const w = world({ endpoints: { demo: idle } });
    admitted(w, 3_000, 'POST', 'demo/run');
    expect(w.emulator.jobs()).toHaveLength(1_000);
    w.until(10_000);
    expect(admitted(w, 1_001, 'POST', 'demo/run')).toBe(1_000);
  });

  test('running workers raise the limits', () => {
    const limiter = new RequestQuota('documented', 'sliding');
    const let_in = (workers: number) => {
      let count = 0;
      while (limiter.enter('cancel', 0, () => workers) === undefined) {
        count += 1;
        limiter.leave('cancel');
      }
      return count;
    };
    expect(let_in(0)).toBe(100);
    expect(let_in(6)).toBe(20);
  });
});

describe('other limits', () => {
  test('can be set for each operation', () => {
    const w = world({
      endpoints: { demo: idle },
      limits: { status: { requests: 2, per: 100 }, runsync: { concurrent: 1 } },
    });
    expect(admitted(w, 5, 'GET', 'demo/status/x')).toBe(2);
    expect(admitted(w, 5_000, 'POST', 'demo/run')).toBe(5_000);
    expect(admitted(w, 5, 'POST', 'demo/runsync')).toBe(1);
    w.until(100);
    expect(admitted(w, 5, 'GET', 'demo/status/x')).toBe(2);
  });

  test('can be turned off', () => {
    const w = world({ endpoints: { demo: idle }, limits: false });
    expect(admitted(w, 300, 'POST', 'demo/cancel/x')).toBe(300);
  });
});

describe('the window', () => {
  const limits = { status: { requests: 2 } };
  const play = (rateWindow: 'sliding' | 'fixed') => {
    const w = world({ endpoints: { demo: idle }, limits, rateWindow });
    return [9_000, 9_999, 10_000, 10_001, 18_999, 19_000, 19_999, 20_000].map((at) => {
      w.until(at);
      return w.send('GET', 'demo/status/x').status === 429 ? 'refused' : 'let in';
    });
  };
  const [yes, no] = ['let in', 'refused'];
  test('may slide', () => {
    expect(play('sliding')).toEqual([yes, yes, no, no, no, yes, yes, no]);
  });
  test('may be fixed', () => {
    expect(play('fixed')).toEqual([yes, yes, yes, yes, no, no, no, yes]);
  });

  test.each(['sliding', 'fixed'] as const)('is counted correctly over many windows: %s', (window) => {
    const [requests, per] = [5, 100];
    const limiter = new RequestQuota({ run: { requests, per } }, window);
    const let_in: number[] = [];
    // Alternately slower and faster than the limit.
    for (let at = 0; at < 20_000; at += at % 1_000 < 500 ? 7 : 31) {
      const since = window === 'sliding' ? at - per + 1 : at - (at % per);
      const room = let_in.filter((time) => time >= since).length < requests;
      expect(limiter.enter('run', at, () => 0) === undefined).toBe(room);
      if (room) let_in.push(at);
    }
    expect(let_in.length).toBeGreaterThan(500);
  });
});

describe('Retry-After', () => {
  test('is absent by default', () => {
    const w = world({ endpoints: { demo: idle }, limits: { run: { requests: 0 } } });
    expect(w.send('POST', 'demo/run').headers).not.toHaveProperty('retry-after');
  });

  test.each([
    ['sliding', 3_500, '10', 6_000, '8'],
    ['fixed', 3_500, '7', 6_000, '4'],
  ] as const)('tells when a request would be admitted: %s', (rateWindow, first, then, second, later) => {
    const limits = { status: { requests: 1 }, runsync: { concurrent: 0 } };
    const w = world({ endpoints: { demo: idle }, limits, rateWindow, retryAfter: true });
    w.until(first);
    w.send('GET', 'demo/status/x');
    expect(w.send('GET', 'demo/status/x').headers).toMatchObject({ 'retry-after': then });
    w.until(second);
    expect(w.send('GET', 'demo/status/x').headers).toMatchObject({ 'retry-after': later });
    expect(w.send('POST', 'demo/runsync').headers).toMatchObject({ 'retry-after': '1' });
  });
});
