import { VirtualTimeScheduler, lastValueFrom } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { createRunpod } from 'runpod-rx';
import { createWorker, type Boss, type WorkerOptions } from 'runpod-rx/pg-boss';
import { postgresServer } from '../support/engines.js';
import { gated } from '../support/gate.js';
import { queueOf, type Order } from './support.js';

/** Fails a job at its first run. */
const flaky = () => {
  let runs = 0;
  return {
    handler: () => {
      runs++;
      if (runs === 1) throw new Error('once');
      return 'fine';
    },
  };
};

describe.skipIf(!postgresServer)('createWorker', () => {
  test('a job of the queue becomes a job of the endpoint, and its output the result', async () => {
    const { add, start, runs, job } = await queueOf();
    const { events } = await start();
    const id = await add('a', 100);
    await expect.poll(() => job(id)).toMatchObject({ state: 'completed', output: { echo: { id: 'a', ms: 100 } } });
    await expect.poll(() => events).toMatchObject([{ type: 'completed', job: { id }, output: { echo: { id: 'a' } } }]);
    expect(runs()).toBe(1);
  });

  test('workers that start at the same moment make the table once, and all work', async () => {
    const { add, start, job } = await queueOf();
    const workers = await Promise.all(Array.from({ length: 6 }, () => start({ concurrency: 1 })));
    const ids = await Promise.all(Array.from({ length: 12 }, (_, index) => add(`job-${index}`, 500)));
    for (const id of ids) await expect.poll(() => job(id)).toMatchObject({ state: 'completed' });
    expect(workers.filter(({ events }) => events.length > 0).length).toBeGreaterThan(1);
    expect(workers.map(({ running }) => running.closed)).toEqual(workers.map(() => false));
  });

  test('takes as many jobs at a time as it has room for', async () => {
    const gate = gated();
    const { add, start, job } = await queueOf({ endpoints: { demo: gate.endpoint } });
    const ids = await Promise.all(Array.from({ length: 12 }, (_, index) => add(`job-${index}`)));
    await start({ concurrency: 5 });
    await expect.poll(gate.running).toBe(5);
    gate.open();
    for (const id of ids) await expect.poll(() => job(id)).toMatchObject({ state: 'completed' });
    expect(gate.most()).toBe(5);
  });

  test('S40 S42 a worker that stalls past its lease: another goes on with the job, with one submission and no cancel', async () => {
    const gate = gated();
    const { add, start, runs, cancels, job, sql, schema } = await queueOf({ endpoints: { demo: gate.endpoint } });
    const ownerOf = async (id: string) => {
      const [row] = await sql(`select owner from ${schema}.runpod_rx_jobs where id = $1`, [id]);
      return (row as { readonly owner: string } | undefined)?.owner;
    };
    const stalled = await start({ heartbeat: 60_000, lease: 600_000 });
    const id = await add('a');
    await expect.poll(gate.running).toBe(1);
    const first = await ownerOf(id);
    const other = await start();
    await expect.poll(() => ownerOf(id)).not.toBe(first);
    gate.open();
    await expect.poll(() => job(id)).toMatchObject({ state: 'completed', retryCount: 0 });
    // Whichever of them has seen the end first has told pg-boss.
    await expect.poll(() => [...stalled.events, ...other.events].map(({ type }) => type)).toContain('completed');
    expect(runs()).toBe(1);
    expect(cancels()).toBe(0);
    stalled.running.unsubscribe();
  });

  test('S41 a worker that is stopped gives its jobs back at once, and another goes on with them', async () => {
    const gate = gated();
    const { add, start, runs, cancels, job, sql, schema } = await queueOf({ endpoints: { demo: gate.endpoint } });
    const ids = await Promise.all(['a', 'b'].map((name) => add(name, 0, { retryLimit: 0 })));
    // As a job that comes from another queue, whose dead letters go to this one.
    await sql(`update ${schema}.job set policy = null where id = $1`, [ids[0]]);
    const first = await start();
    await expect.poll(gate.running).toBe(2);
    first.running.unsubscribe();
    await lastValueFrom(first.worker.settled(), { defaultValue: undefined });
    expect(await Promise.all(ids.map(job))).toMatchObject([{ state: 'retry' }, { state: 'retry' }]);
    await start();
    gate.open();
    for (const id of ids) await expect.poll(() => job(id)).toMatchObject({ state: 'completed', retryCount: 0 });
    expect(runs()).toBe(2);
    expect(cancels()).toBe(0);
  });

  test('S41 a worker whose client is closed gives its jobs back, and takes them no more', async () => {
    const { add, start, runs, job } = await queueOf();
    const { client, events } = await start();
    const id = await add('a', 1_000);
    await expect.poll(runs).toBe(1);
    client.close().subscribe();
    await expect.poll(() => events.map(({ type }) => type)).toContain('released');
    await start();
    await expect.poll(() => job(id)).toMatchObject({ state: 'completed', retryCount: 0 });
    expect(events.map(({ type }) => type)).toEqual(['released']);
    expect(runs()).toBe(1);
  });

  test('S40 a job whose place in a queue of the policy stately is taken is taken over where it is', async () => {
    const gate = gated();
    const { add, start, runs, job, sql, schema } = await queueOf({ endpoints: { demo: gate.endpoint } });
    await sql(`update ${schema}.queue set policy = 'stately'`);
    const stalled = await start({ heartbeat: 60_000, lease: 600_000, concurrency: 1 });
    const first = await add('a');
    await expect.poll(gate.running).toBe(1);
    const second = await add('b');
    await sql(`update ${schema}.job set state = 'retry' where id = $1`, [second]);
    stalled.running.unsubscribe();
    await lastValueFrom(stalled.worker.settled(), { defaultValue: undefined });
    expect(await job(first)).toMatchObject({ state: 'active' });
    await start();
    gate.open();
    for (const id of [first, second]) await expect.poll(() => job(id)).toMatchObject({ state: 'completed' });
    expect(runs()).toBe(2);
  });

  test('S41 boss.cancel cancels on the service, once', async () => {
    const { add, start, boss, runs, cancels, job, emulator } = await queueOf();
    const { events } = await start();
    const id = await add('a', 600_000);
    await expect.poll(runs).toBe(1);
    await boss.cancel('orders', id);
    await expect.poll(() => events.map(({ type }) => type)).toEqual(['cancelled']);
    expect(emulator.jobs()).toMatchObject([{ status: 'CANCELLED' }]);
    expect(await job(id)).toMatchObject({ state: 'cancelled' });
    expect([runs(), cancels()]).toEqual([1, 1]);
    // By hand, it runs again.
    await boss.resume('orders', id);
    await expect.poll(runs).toBe(2);
  });

  test('S41 a job that was cancelled after its worker was lost is cancelled by another, once', async () => {
    const { add, start, boss, runs, cancels, emulator } = await queueOf();
    const lost = await start({ heartbeat: 60_000, lease: 600_000 });
    const id = await add('a', 600_000);
    await expect.poll(() => emulator.jobs().map(({ status }) => status)).toEqual(['IN_PROGRESS']);
    await boss.cancel('orders', id);
    await start();
    await expect.poll(() => emulator.jobs().map(({ status }) => status)).toEqual(['CANCELLED']);
    expect([runs(), cancels()]).toEqual([1, 1]);
    lost.running.unsubscribe();
  });

  test('S41 a job that is deleted from the queue is cancelled on the service, once', async () => {
    const { add, start, boss, runs, cancels, emulator } = await queueOf();
    const { events } = await start();
    const id = await add('a', 600_000);
    await expect.poll(() => emulator.jobs().map(({ status }) => status)).toEqual(['IN_PROGRESS']);
    await boss.deleteJob('orders', id);
    await expect.poll(() => events.map(({ type }) => type)).toEqual(['cancelled']);
    expect(emulator.jobs()).toMatchObject([{ status: 'CANCELLED' }]);
    expect([runs(), cancels()]).toEqual([1, 1]);
  });

  test('S41 a job that is deleted while no worker has it is cancelled by the next, once', async () => {
    const { add, start, boss, runs, cancels, emulator, sql, schema } = await queueOf();
    const first = await start();
    const id = await add('a', 600_000);
    await expect.poll(() => emulator.jobs().map(({ status }) => status)).toEqual(['IN_PROGRESS']);
    first.running.unsubscribe();
    await lastValueFrom(first.worker.settled(), { defaultValue: undefined });
    await boss.deleteJob('orders', id);
    await start();
    await expect.poll(() => emulator.jobs().map(({ status }) => status)).toEqual(['CANCELLED']);
    await expect.poll(() => sql(`select id from ${schema}.runpod_rx_jobs`)).toEqual([]);
    expect([runs(), cancels()]).toEqual([1, 1]);
  });

  test('S41 a job that is cancelled while no worker has it runs again where it is resumed', async () => {
    const { add, start, boss, runs, cancels, job } = await queueOf();
    const first = await start();
    const id = await add('a', 600_000);
    await expect.poll(runs).toBe(1);
    first.running.unsubscribe();
    await expect.poll(() => job(id)).toMatchObject({ state: 'retry' });
    await boss.cancel('orders', id);
    const { events } = await start();
    await expect.poll(() => events.map(({ type }) => type)).toEqual(['cancelled']);
    await boss.resume('orders', id);
    await expect.poll(runs).toBe(2);
    expect(cancels()).toBe(1);
  });

  test('S40 another job with the same id is a job of its own', async () => {
    const { add, start, boss, runs, job } = await queueOf();
    await start();
    const id = await add('a');
    await expect.poll(() => job(id)).toMatchObject({ state: 'completed' });
    await boss.deleteJob('orders', id);
    expect(await add('b', 0, { id })).toBe(id);
    await expect.poll(() => job(id)).toMatchObject({ state: 'completed', output: { echo: { id: 'b' } } });
    expect(runs()).toBe(2);
  });

  test('S41 a job that was given back is not archived, however long it was in the queue', async () => {
    const gate = gated();
    const { add, start, boss, runs, job, sql, schema } = await queueOf({ endpoints: { demo: gate.endpoint } });
    const id = await add('a');
    await sql(`update ${schema}.job set keep_until = now() where id = $1`, [id]);
    const first = await start();
    await expect.poll(gate.running).toBe(1);
    first.running.unsubscribe();
    await lastValueFrom(first.worker.settled(), { defaultValue: undefined });
    await boss.maintain();
    await start();
    gate.open();
    await expect.poll(() => job(id)).toMatchObject({ state: 'completed' });
    expect(runs()).toBe(1);
  });

  test('S43 a job that FAILED fails an attempt, and the next submits a new job', async () => {
    const { add, start, runs, job } = await queueOf({ endpoints: { demo: flaky() } });
    await start();
    const id = await add('a', 0, { retryLimit: 1 });
    await expect.poll(() => job(id)).toMatchObject({ state: 'completed', retryCount: 1, output: { value: 'fine' } });
    expect(runs()).toBe(2);
  });

  test('S43 a job without another attempt fails with its words, and runs again where somebody retries it', async () => {
    const { add, start, boss, runs, job } = await queueOf({ endpoints: { demo: flaky() } });
    await start();
    const id = await add('a', 0, { retryLimit: 0 });
    await expect
      .poll(() => job(id))
      .toMatchObject({
        state: 'failed',
        output: { code: 'job_failed', message: expect.stringContaining('once') as string },
      });
    await boss.retry('orders', id);
    await expect.poll(() => job(id)).toMatchObject({ state: 'completed' });
    expect(runs()).toBe(2);
  });

  test('S43 what would be in vain is not retried', async () => {
    const { boss, start, runs, job } = await queueOf();
    await start();
    const id = await boss.send('orders', {}, { retryLimit: 5 });
    await expect.poll(() => job(id!)).toMatchObject({ state: 'failed', output: { code: 'validation' } });
    expect(runs()).toBe(0);
  });

  test.each([
    ['fail', 'failed', 1],
    ['resubmit', 'completed', 2],
  ] as const)('S40 a job whose answer was lost is ambiguous: %s', async (ambiguous, expected, times) => {
    const { add, start, runs, job } = await queueOf({ faults: [{ fault: 'reset-after', on: 'run', times: 1 }] });
    await start({ ambiguous });
    const id = await add('a', 0, { retryLimit: 5 });
    await expect.poll(() => job(id)).toMatchObject({ state: expected });
    expect(runs()).toBe(times);
  });

  test.each(['a\0b', 'a\ud800b'])(
    'an output that Postgres cannot store as JSON fails the job at once, and its row has it: %j',
    async (text) => {
      const { add, start, runs, job, sql, schema } = await queueOf({
        endpoints: { demo: { handler: () => ({ text }) } },
      });
      await start();
      const id = await add('a', 0, { retryLimit: 5 });
      await expect.poll(() => job(id)).toMatchObject({ state: 'failed', retryCount: 0 });
      expect(runs()).toBe(1);
      const [row] = (await sql(`select data from ${schema}.runpod_rx_jobs where id = $1`, [id])) as { data: string }[];
      expect(JSON.parse(row!.data)).toMatchObject({ state: 'ended', end: { job: { output: { text } } } });
    },
  );

  test('an output with a bigint fails the job, and is not given again and again', async () => {
    const { add, boss, schema, emulator, runs, job } = await queueOf();
    const client = createRunpod({ transport: emulator.transport, apiKey: 'key', limits: false });
    const parse = (text: string): unknown =>
      JSON.parse(text, (name, value: unknown) => (name === 'ms' ? BigInt(value as number) : value));
    const worker = createWorker(boss, 'orders', client.endpoint<Order>('demo', { parse }), {
      schema,
      pollInterval: 100,
    });
    const running = worker.events$.subscribe();
    const id = await add('a', 7, { retryLimit: 5 });
    await expect.poll(() => job(id)).toMatchObject({ state: 'failed', retryCount: 0 });
    expect(runs()).toBe(1);
    running.unsubscribe();
  });

  test('an error that Postgres cannot store as JSON fails the job all the same', async () => {
    const { add, start, job } = await queueOf();
    await start({
      request: () => {
        throw new Error('a\0b\ud800c');
      },
    });
    const id = await add('a', 0, { retryLimit: 0 });
    await expect.poll(() => job(id)).toMatchObject({ state: 'failed', output: { message: 'a\ufffdb\ufffdc' } });
  });
});

test('a queue that cannot be asked is asked again at the usual pace', async () => {
  const endpoint = createRunpod({ transport: () => [] as never, apiKey: 'key' }).endpoint('demo');
  let fetches = 0;
  const boss: Boss = {
    fetch: () => {
      fetches++;
      const [id, now] = ['00000000-0000-0000-0000-000000000000', new Date()];
      const job = { id, name: 'orders', data: {}, retryCount: 0, createdOn: now, startedOn: now };
      if (fetches === 1) return Promise.resolve([job]);
      // Without end, nothing else would run.
      return fetches < 1_000 ? Promise.reject(new Error('away')) : new Promise(() => undefined);
    },
    complete: () => Promise.resolve(),
    fail: () => Promise.resolve(),
    getDb: () => ({ executeSql: () => Promise.resolve({ rows: [] }) }),
  };
  const scheduler = new VirtualTimeScheduler();
  const running = createWorker(boss, 'orders', endpoint, { concurrency: 1, scheduler }).events$.subscribe();
  scheduler.flush();
  // What is due at once is done.
  await new Promise((resolve) => setImmediate(resolve));
  running.unsubscribe();
  expect(fetches).toBe(2);
});

test('settled waits for a look after dead jobs that is under way', async () => {
  const endpoint = createRunpod({ transport: () => [] as never, apiKey: 'key' }).endpoint('demo');
  let asked: () => void = () => undefined;
  const isAsked = new Promise<void>((resolve) => {
    asked = resolve;
  });
  let answer: () => void = () => undefined;
  const boss: Boss = {
    fetch: () => Promise.resolve([]),
    complete: () => Promise.resolve(),
    fail: () => Promise.resolve(),
    getDb: () => ({
      executeSql: (text) => {
        const none = { rows: [] };
        if (!text.includes("set state = 'retry'")) return Promise.resolve(none);
        asked();
        return new Promise((resolve) => {
          answer = () => {
            resolve(none);
          };
        });
      },
    }),
  };
  const worker = createWorker(boss, 'orders', endpoint);
  const running = worker.events$.subscribe();
  await isAsked;
  running.unsubscribe();
  const done: string[] = [];
  const settled = lastValueFrom(worker.settled(), { defaultValue: undefined }).then(() => done.push('settled'));
  // `settled` looks after one turn of the event loop.
  await new Promise((resolve) => setTimeout(resolve, 10));
  done.push('answered');
  answer();
  await settled;
  expect(done).toEqual(['answered', 'settled']);
});

test('options that cannot work are refused at once', () => {
  const endpoint = createRunpod({ transport: () => [] as never, apiKey: 'key' }).endpoint('demo');
  const none = (): never => {
    throw new Error('not called');
  };
  const boss: Boss = { fetch: none, complete: none, fail: none, getDb: none };
  const make = (options: unknown) => () => createWorker(boss, 'orders', endpoint, options as WorkerOptions);
  expect(make({ concurrency: 0 })).toThrow(/concurrency is 0: it must be a whole number of at least 1/);
  expect(make({ lease: 5_000 })).toThrow(/lease is 5000: it must be at least twice the heartbeat, which is 5000/);
  expect(make({ heartbeat: 60_000 })).toThrow(/lease is 60000/);
  expect(make({ schema: 'a"b' })).toThrow(/schema/);
  expect(make({ leese: 1 })).toThrow(/leese is .*did you mean lease/);
  expect(() => createWorker({} as never, 'orders', endpoint)).toThrow(/boss/);
  expect(() => createWorker(boss, '', endpoint)).toThrow(/queue/);
});
