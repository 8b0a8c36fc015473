import { map } from 'rxjs';
import { describe, expect, test } from 'vitest';
import type { EmulatedEndpoint } from 'runpod-rx/testing';
import { world } from './world.js';

/** A handler that takes `input.ms` milliseconds, a second by default. */
const working = {
  handler: ({ input }: { input: { ms?: number } }, { delay }) => delay(input.ms ?? 1_000).pipe(map(() => 'done')),
} satisfies EmulatedEndpoint;

const starts = (w: ReturnType<typeof world>): (number | undefined)[] =>
  w.emulator.jobs().map(({ runs }) => runs[0]?.startedAt);

describe('workers', () => {
  test('are three by default, one job each; the longest waiting is next', () => {
    const w = world({ endpoints: { demo: working } });
    for (let count = 0; count < 7; count += 1) w.submit();
    w.until(5_000);
    expect(starts(w)).toEqual([0, 0, 0, 1_000, 1_000, 1_000, 2_000]);
  });

  test('may be a number, and take several jobs at once', () => {
    const one = world({ endpoints: { demo: { ...working, workers: 1 } } });
    for (let count = 0; count < 3; count += 1) one.submit();
    one.until(5_000);
    expect(starts(one)).toEqual([0, 1_000, 2_000]);
    const two = world({ endpoints: { demo: { ...working, workers: { max: 1, concurrency: 2 } } } });
    for (let count = 0; count < 3; count += 1) two.submit();
    two.until(5_000);
    expect(starts(two)).toEqual([0, 0, 1_000]);
  });

  test('with none, every job stays in the queue', () => {
    const w = world({ endpoints: { demo: { ...working, workers: 0 } } });
    const id = w.submit();
    w.until(1_000_000);
    expect(w.ask('GET', `demo/status/${id}`)).toEqual({ id, status: 'IN_QUEUE' });
  });

  test('start cold, stay warm, and go away when idle', () => {
    const w = world({ endpoints: { demo: { ...working, coldStart: 10_000 } } });
    w.submit();
    w.until(12_000);
    w.submit();
    w.until(17_999);
    w.submit();
    w.until(23_999);
    w.submit();
    w.until(50_000);
    expect(starts(w)).toEqual([10_000, 12_000, 17_999, 33_999]);
  });

  test('that are always on do not start cold, and do not go away', () => {
    const w = world({ endpoints: { demo: { ...working, coldStart: 10_000, workers: { min: 1, max: 1 } } } });
    w.submit();
    w.until(100_000);
    w.submit();
    w.until(200_000);
    expect(starts(w)).toEqual([0, 100_000]);
  });

  test('start as many as jobs wait', () => {
    const w = world({ endpoints: { demo: { ...working, coldStart: 100, workers: 5 } } });
    w.submit();
    w.submit();
    w.until(1);
    expect(w.ask('GET', 'demo/health').workers).toMatchObject({ initializing: 2 });
  });

  test('do not start for jobs of low priority, which run when one is there', () => {
    const w = world({ endpoints: { demo: { ...working, workers: 1 } } });
    w.submit({ x: 1 }, { policy: { lowPriority: true } });
    w.until(10_000);
    expect(starts(w)).toEqual([undefined]);
    w.submit();
    w.until(20_000);
    expect(starts(w)).toEqual([10_000, 11_000]);
  });
});

describe('executionTimeout', () => {
  test('fails the job, after the kill lag', () => {
    let torn = 0;
    const w = world({
      endpoints: {
        demo: {
          handler: (_, { delay, signal }) => {
            signal.addEventListener('abort', () => (torn += 1));
            return delay(1_000_000);
          },
        },
      },
    });
    const id = w.submit({ x: 1 }, { policy: { executionTimeout: 5_000 } });
    w.until(7_999);
    expect(w.ask('GET', `demo/status/${id}`).status).toBe('IN_PROGRESS');
    w.until(8_000);
    expect(w.ask('GET', `demo/status/${id}`)).toMatchObject({
      error: 'executionTimeout exceeded',
      executionTime: 8_000,
      status: 'FAILED',
    });
    expect(torn).toBe(1);
    expect(w.emulator.jobs()).toMatchObject([{ executionMs: 8_000, runs: [{ outcome: 'killed' }] }]);
  });

  test('comes from the endpoint if the job has none; the lag can be set', () => {
    const w = world({
      endpoints: { demo: { handler: (_, { delay }) => delay(1e6), executionTimeout: 2_000, killLag: 0 } },
    });
    const id = w.submit();
    w.until(2_000);
    expect(w.ask('GET', `demo/status/${id}`).status).toBe('FAILED');
  });

  test('is ten minutes by default', () => {
    const w = world({ endpoints: { demo: { handler: (_, { delay }) => delay(1e7) } } });
    const id = w.submit();
    w.until(602_999);
    expect(w.ask('GET', `demo/status/${id}`).status).toBe('IN_PROGRESS');
    w.until(603_000);
    expect(w.ask('GET', `demo/status/${id}`).status).toBe('FAILED');
  });
});

describe('ttl', () => {
  const policy = { ttl: 10_000 };

  test('deletes a waiting job', () => {
    const w = world({ endpoints: { demo: { ...working, workers: 0 } } });
    const id = w.submit({ x: 1 }, { policy });
    const held = w.send('GET', `demo/status-sync/${id}`);
    w.until(9_999);
    expect(w.send('GET', `demo/status/${id}`).status).toBe(200);
    w.until(10_000);
    expect(w.send('GET', `demo/status/${id}`).status).toBe(404);
    expect(held).toMatchObject({ status: 404, at: 10_000 });
    expect(w.ask('GET', 'demo/health').jobs).toMatchObject({ inQueue: 0 });
  });

  test('deletes a running job, and stops it', () => {
    const w = world({ endpoints: { demo: working } });
    const id = w.submit({ ms: 60_000 }, { policy });
    const held = w.send('GET', `demo/stream/${id}?wait=60000`);
    w.until(10_000);
    expect(held).toMatchObject({ status: 404, at: 10_000 });
    expect(w.emulator.jobs()).toMatchObject([{ end: 'expired', executionMs: 10_000, runs: [{ outcome: 'expired' }] }]);
  });

  test('ends a held submission', () => {
    const w = world({ endpoints: { demo: { ...working, workers: 0 } } });
    const held = w.send('POST', 'demo/runsync', { input: { x: 1 }, policy });
    w.until(10_000);
    expect(held).toMatchObject({ status: 404, at: 10_000 });
  });

  test('stops a running job that no client reads', () => {
    const w = world({ endpoints: { demo: working } });
    w.submit({ ms: 60_000 }, { policy });
    w.until(10_000);
    expect(w.emulator.jobs()).toMatchObject([{ end: 'expired', endedAt: 10_000, runs: [{ outcome: 'expired' }] }]);
    expect(w.ask('GET', 'demo/health')).toMatchObject({ jobs: { failed: 0 }, workers: { running: 0, idle: 1 } });
  });

  test('deletes a result', () => {
    const w = world({ endpoints: { demo: working } });
    const id = w.submit({ x: 1 }, { policy });
    w.until(9_999);
    expect(w.send('GET', `demo/status/${id}`).status).toBe(200);
    w.until(10_000);
    expect(w.send('GET', `demo/status/${id}`).status).toBe(404);
    expect(w.emulator.jobs()).toMatchObject([{ end: 'completed' }]);
  });

  test('a job whose time to live is over is never started', () => {
    const w = world({ endpoints: { demo: { ...working, workers: 1 } } });
    w.submit({ ms: 20_000 });
    w.submit({ x: 1 }, { policy });
    w.submit({ x: 1 });
    w.until(30_000);
    expect(starts(w)).toEqual([0, undefined, 20_000]);
  });

  test('the end of a waiting job is recorded at its true time, even if it is noticed later', () => {
    const w = world({ endpoints: { demo: { ...working, workers: 0 } } });
    w.submit({ x: 1 }, { policy });
    w.until(70_000);
    expect(w.emulator.jobs()).toMatchObject([{ end: 'expired', endedAt: 10_000 }]);
  });

  test('may show TIMED_OUT, which can be retried', () => {
    const w = world({ endpoints: { demo: { ...working, workers: 0 } }, variants: { expired: 'timed-out' } });
    const id = w.submit({ x: 1 }, { policy });
    w.until(15_000);
    expect(w.ask('GET', `demo/status/${id}`)).toEqual({ id, status: 'TIMED_OUT' });
    w.ask('POST', `demo/retry/${id}`);
    expect(w.ask('GET', `demo/status/${id}`)).toEqual({ id, status: 'IN_QUEUE' });
    w.until(25_000);
    expect(w.ask('GET', `demo/status/${id}`)).toEqual({ id, status: 'TIMED_OUT' });
  });
});

test('a busy emulator forgets the jobs that can no longer be read', () => {
  const w = world({ endpoints: { demo: { handler: () => 1 } }, history: 3, limits: false });
  for (let count = 0; count < 300; count += 1) w.submit();
  w.until(0);
  expect(w.emulator.jobs()).toHaveLength(3);
  expect(w.emulator.requests()).toHaveLength(3);
});

test('ten minutes of work pass at once in virtual time', () => {
  const w = world({ endpoints: { demo: working } });
  const id = w.submit({ ms: 599_000 });
  w.scheduler.maxFrames = Infinity;
  w.scheduler.flush();
  expect(w.scheduler.now()).toBe(599_000);
  expect(w.ask('GET', `demo/status/${id}`).status).toBe('COMPLETED');
});
