import { TestScheduler } from 'rxjs/testing';
import { map } from 'rxjs';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { createRunpod, jobOutput } from 'runpod-rx';
import type { Endpoint } from 'runpod-rx';
import { createEmulator } from 'runpod-rx/testing';
import { demo, script, world, type Answer } from '../support/world.js';

const input = { ms: 600_000 };
const queued: Answer = { body: { id: 'job-1', status: 'IN_QUEUE' } };

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

describe('S9 all time comes from the scheduler', () => {
  /** Watches the functions of real time; the returned function names the functions that were called. */
  const watchRealTime = () => {
    const spies = {
      setTimeout: vi.spyOn(globalThis, 'setTimeout'),
      setInterval: vi.spyOn(globalThis, 'setInterval'),
      setImmediate: vi.spyOn(globalThis, 'setImmediate'),
      queueMicrotask: vi.spyOn(globalThis, 'queueMicrotask'),
      'Date.now': vi.spyOn(Date, 'now'),
      'performance.now': vi.spyOn(performance, 'now'),
      nextTick: vi.spyOn(process, 'nextTick'),
    };
    return () => Object.entries(spies).flatMap(([name, spy]) => (spy.mock.calls.length ? [name] : []));
  };

  test('a job of ten minutes runs in virtual time, without a timer, a date or a promise', () => {
    // The test is synchronous, so a promise would settle too late for it.
    const { endpoint, emulator, client, see, until } = world({ latency: 100, faults: { 'empty-502': 0.05 } });
    const used = watchRealTime();
    const run = see(endpoint.run({ input }));
    until(1_000);
    const watch = see(endpoint.watch(run.values[0]!.id));
    const sync = see(endpoint.runSync({ input }).pipe(jobOutput()));
    const health = see(endpoint.watchHealth());
    const abandoned = see(endpoint.run({ input }));
    abandoned.subscription.unsubscribe();
    until(700_000);
    health.subscription.unsubscribe();
    see(client.close());
    until(800_000);
    expect(used()).toEqual([]);
    expect(watch.values.at(-1)).toMatchObject({ status: 'COMPLETED', executionTime: 600_000 });
    expect(sync.values).toEqual([{ echo: input }]);
    expect(emulator.jobs().map(({ status }) => status)).toEqual(['COMPLETED', 'COMPLETED', 'CANCELLED']);
  });

  test('a TestScheduler runs a job in marbles', () => {
    const scheduler = new TestScheduler((actual, expected) => {
      expect(actual).toEqual(expected);
    });
    scheduler.run(({ expectObservable }) => {
      const emulator = createEmulator({ endpoints: { demo }, scheduler, latency: 20 });
      const client = createRunpod({ transport: emulator.transport, scheduler, apiKey: 'key' });
      const status$ = client
        .endpoint('demo')
        .runSync({ input: { ms: 100_000 } }, { every: 5_000 })
        .pipe(map(({ status }) => status));
      // Held for 90 s, then read after 5 s and after 10 s.
      expectObservable(status$).toBe('100060ms (a|)', { a: 'COMPLETED' });
    });
  });

  test('the timeouts of a call and of an attempt use the scheduler', () => {
    const { endpoint, see, until } = script(() => 'never', { retry: false });
    const used = watchRealTime();
    const one = see(endpoint.health({ timeout: 1_000 }));
    const two = see(endpoint.health());
    until(100_000);
    expect(used()).toEqual([]);
    expect(one.ended).toBe(1_000);
    expect(two.ended).toBe(30_000);
  });
});

describe('S12 the timeout of an attempt', () => {
  const calls: [string, (endpoint: Endpoint) => ReturnType<Endpoint['request']> | object, number][] = [
    ['run', (endpoint) => endpoint.run({ input }), 120_000],
    ['retry', (endpoint) => endpoint.retry('a'), 120_000],
    ['runSync', (endpoint) => endpoint.runSync({ input }), 105_000],
    ['runSync that waits for 5 s', (endpoint) => endpoint.runSync({ input }, { wait: 5_000 }), 20_000],
    ['status', (endpoint) => endpoint.status('a'), 30_000],
    ['watch', (endpoint) => endpoint.watch('a'), 30_000],
    ['stream', (endpoint) => endpoint.stream('a'), 25_000],
    ['stream that waits for 60 s', (endpoint) => endpoint.stream('a', { wait: 60_000 }), 75_000],
    ['cancel', (endpoint) => endpoint.cancel('a'), 30_000],
    ['health', (endpoint) => endpoint.health(), 30_000],
    ['purgeQueue', (endpoint) => endpoint.purgeQueue(), 30_000],
    ['request by GET', (endpoint) => endpoint.request('x'), 30_000],
    ['request by POST', (endpoint) => endpoint.request('x', { body: {} }), 120_000],
  ];
  /** One failed read does not end these. */
  const readsOn = (name: string) => /^(watch|stream)/.test(name);
  const subscribe = (seen: object, see: (source: never) => unknown) => see(seen as never);

  test.each(calls)('%s: has a default', (name, call, timeout) => {
    const { endpoint, sent, see, until } = script(() => 'never', { retry: false });
    const seen = subscribe(call(endpoint), see) as { ended?: number; error?: { code: string; cause?: unknown } };
    until(timeout - 1);
    expect(seen.ended).toBeUndefined();
    until(timeout);
    if (readsOn(name)) {
      expect(sent[0]).toMatchObject({ timeout, aborted: timeout });
      return;
    }
    expect(seen.ended).toBe(timeout);
    expect(sent).toMatchObject([{ timeout, aborted: timeout }]);
    const submission = timeout === 120_000 || name.startsWith('runSync');
    expect(seen.error).toMatchObject(
      submission ? { code: 'submission_unknown', cause: { code: 'request_timeout' } } : { code: 'request_timeout' },
    );
  });

  test.each(calls)('%s: is requestTimeout, except for requests that the service holds', (name, call, timeout) => {
    const { endpoint, sent, see, until } = script(() => 'never', { retry: false, requestTimeout: 7_000 });
    subscribe(call(endpoint), see);
    until(1_000_000);
    const held = /runSync|stream/.test(name);
    expect(sent[0]).toMatchObject({ aborted: held ? timeout : 7_000 });
    if (!readsOn(name)) expect(sent).toHaveLength(1);
  });

  test('S2 repeats a read, four attempts in all', () => {
    const { endpoint, sent, see, until } = script(() => 'never');
    const seen = see(endpoint.status('a'));
    until(1_000_000);
    // Full jitter at its middle: half of 500, 1 000 and 2 000.
    expect(sent.map(({ at }) => at)).toEqual([0, 30_250, 60_750, 91_750]);
    expect(seen).toMatchObject({ ended: 121_750, error: { code: 'request_timeout', timeout: 30_000 } });
  });

  test('is cut short by the timeout of the call, which covers all attempts and pauses', () => {
    const { endpoint, sent, see, until } = script(() => ({ status: 503, after: 900 }));
    const seen = see(endpoint.status('a', { timeout: 2_000 }));
    until(1_000_000);
    expect(seen).toMatchObject({ ended: 2_000, error: { code: 'request_timeout', timeout: 2_000 } });
    expect(sent).toMatchObject([{ at: 0 }, { at: 1_150, aborted: 2_000 }]);
  });

  test('of runSync: the timeout of the call covers the held request and the polling', () => {
    const { endpoint, see, until } = world();
    const seen = see(endpoint.runSync({ input }, { wait: 30_000, timeout: 50_000, every: 7_000 }));
    until(1_000_000);
    expect(seen).toMatchObject({ ended: 50_000, error: { code: 'request_timeout' } });
  });

  test('of watch: the timeout of the call covers all polls', () => {
    const { endpoint, see, until } = script(() => ({ ...queued, after: 10 }));
    const seen = see(endpoint.watch('job-1', { timeout: 20_000 }));
    until(1_000_000);
    expect(seen).toMatchObject({ ended: 20_000, error: { code: 'request_timeout', timeout: 20_000 } });
  });
});

describe('S13 the scheduler is empty', () => {
  const limits = { run: { requests: 1, per: 10_000 }, health: { requests: 1, per: 10_000 } };
  const cases: [string, Answer, (endpoint: Endpoint) => object][] = [
    ['a request', 'never', (endpoint) => endpoint.status('a')],
    ['a pause between repeats', { status: 503 }, (endpoint) => endpoint.status('a')],
    ['a pause before a submission is repeated', { status: 429 }, (endpoint) => endpoint.run({ input })],
    ['a pause between polls', queued, (endpoint) => endpoint.watch('job-1')],
    ['a pause between health reads', { body: { jobs: {}, workers: {} } }, (endpoint) => endpoint.watchHealth()],
    ['a pause between stream reads', { body: { status: 'IN_QUEUE', stream: [] } }, (endpoint) => endpoint.stream('a')],
    ['a call with a timeout', 'never', (endpoint) => endpoint.health({ timeout: 5_000 })],
    ['a watch with a timeout', queued, (endpoint) => endpoint.watch('a', { timeout: 60_000 })],
  ];

  test.each(cases)('after unsubscribing during %s', (_, answer, call) => {
    const { endpoint, scheduler, see, until } = script(() => answer, { limits: false });
    const seen = see(call(endpoint) as never);
    until(40);
    expect(scheduler.actions.length).toBeGreaterThan(0);
    seen.subscription.unsubscribe();
    expect(scheduler.actions).toEqual([]);
  });

  test('after unsubscribing during a wait for budget', () => {
    const { endpoint, scheduler, see, until } = script(() => queued, { limits });
    see(endpoint.run({ input }));
    until(40);
    expect(scheduler.actions).toEqual([]);
    const waiting = [see(endpoint.run({ input })), see(endpoint.run({ input }))];
    until(50);
    expect(scheduler.actions.length).toBeGreaterThan(0);
    for (const { subscription } of waiting) subscription.unsubscribe();
    expect(scheduler.actions).toEqual([]);
  });

  test('after calls completed or errored, and the pending cancels ended', () => {
    const { client, endpoint, scheduler, see, until } = script(({ operation }) =>
      operation === 'cancel' ? { body: { id: 'job-1', status: 'CANCELLED' } } : { ...queued, after: 100 },
    );
    see(endpoint.run({ input }, { timeout: 1e6 }));
    see(endpoint.run({ input })).subscription.unsubscribe();
    see(endpoint.status('job-1', { timeout: 50 }));
    see(endpoint.watch('job-1', { timeout: 50 }));
    until(100);
    expect(see(client.settled()).ended).toBe(100);
    expect(scheduler.actions).toEqual([]);
  });

  test('after close()', () => {
    const { client, endpoint, scheduler, see, until } = script(() => ({ ...queued, after: 100 }));
    see(endpoint.watch('job-1'));
    see(endpoint.watchHealth());
    see(endpoint.cancel('job-2'));
    until(150);
    see(client.close());
    expect(scheduler.actions).toEqual([]);
  });

  test('and a signal keeps no listener after its calls have ended', () => {
    const { endpoint, see, until } = script(() => ({ body: { jobs: {}, workers: {} }, after: 10 }));
    const { signal } = new AbortController();
    const [add, remove] = [vi.spyOn(signal, 'addEventListener'), vi.spyOn(signal, 'removeEventListener')];
    see(endpoint.health({ signal }));
    see(endpoint.watchHealth({ signal })).subscription.unsubscribe();
    until(1_000);
    expect(add.mock.calls.length).toBeGreaterThan(0);
    expect(remove.mock.calls.length).toBe(add.mock.calls.length);
  });
});
