import { Worker } from 'bullmq';
import { NEVER, firstValueFrom } from 'rxjs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createRunpod } from 'runpod-rx';
import { cancelJob, createProcessor, type ProcessorOptions, type RedisClient } from 'runpod-rx/bullmq';
import { redisServer } from '../support/engines.js';
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

test('watch says at once what is no worker', () => {
  const endpoint = createRunpod({ transport: () => NEVER }).endpoint('demo');
  const { watch } = createProcessor(endpoint, { redis: { eval: () => Promise.resolve(null) } });
  for (const given of [undefined, { connection: {} }])
    expect(() => watch(given as never)).toThrow(/worker is .*: it must be a worker of BullMQ/);
});

describe.skipIf(!redisServer)('createProcessor', () => {
  test('a job of the queue becomes a job of the endpoint, and its output the result', async () => {
    const { add, start, runs, result, row } = queueOf();
    start();
    const job = await add('a', 100);
    await expect.poll(() => result(job)).toEqual({ echo: { id: 'a', ms: 100 } });
    expect(runs()).toBe(1);
    // The queue has the result.
    await expect.poll(() => row(job)).toBeNull();
  });

  test('progress of the worker is that of the job', async () => {
    const { add, start, queue, result } = queueOf({
      endpoints: {
        demo: {
          handler: async (_job, { progress, sleep }) => {
            progress({ percent: 50 });
            await sleep(1_500);
            return 'fine';
          },
        },
      },
    });
    start();
    const job = await add('a');
    await expect.poll(() => result(job)).toBe('fine');
    expect((await queue.getJob(job.id!))?.progress).toEqual({ percent: 50 });
  });

  test('S40 S42 a worker that stalls past its lock: another goes on with the job, with one submission and no cancel', async () => {
    const gate = gated();
    const { add, start, runs, cancels, result, queue, emulator } = queueOf({ endpoints: { demo: gate.endpoint } });
    const stalled = start({ heartbeat: 60_000 }, { skipLockRenewal: true, skipStalledCheck: true });
    const job = await add('a');
    await expect.poll(() => emulator.jobs().length).toBe(1);
    await stalled.worker.pause(true);
    const other = start();
    const taken: unknown[] = [];
    const completed: unknown[] = [];
    other.worker.on('active', ({ id }) => taken.push(id));
    other.worker.on('completed', ({ id }) => completed.push(id));
    await expect.poll(() => taken).toContain(job.id);
    gate.open();
    await expect.poll(() => result(job)).toEqual({ echo: { id: 'a', ms: 0 } });
    expect(completed).toEqual([job.id]);
    expect((await queue.getJob(job.id!))?.stalledCounter).toBeGreaterThan(0);
    expect(runs()).toBe(1);
    expect(cancels()).toBe(0);
  });

  test('S41 a worker that is closed gives its jobs back at once, and another goes on with them', async () => {
    const gate = gated();
    const { add, start, runs, cancels, result, state, queue } = queueOf({ endpoints: { demo: gate.endpoint } });
    const first = start();
    const jobs = await Promise.all(['a', 'b'].map((id) => add(id)));
    await expect.poll(gate.running).toBe(2);
    await first.worker.close();
    expect(await Promise.all(jobs.map(({ id }) => state(id)))).toEqual(['waiting', 'waiting']);
    start();
    gate.open();
    for (const job of jobs) await expect.poll(() => result(job)).toBeTruthy();
    // No attempt was counted but the one that has completed.
    expect((await queue.getJob(jobs[0]!.id!))?.attemptsMade).toBe(1);
    expect(runs()).toBe(2);
    expect(cancels()).toBe(0);
  });

  test('S41 a job that is cancelled from anywhere is cancelled on the service once, and not retried', async () => {
    const { add, start, redis, runs, cancels, queue, state, emulator } = queueOf();
    start();
    const job = await add('a', 600_000, { attempts: 3 });
    await expect.poll(runs).toBe(1);
    expect(await firstValueFrom(cancelJob(redis, await queue.getJob(job.id!)))).toBe(true);
    await expect.poll(() => state(job.id)).toBe('failed');
    expect((await queue.getJob(job.id!))?.failedReason).toBe('cancelled');
    expect(emulator.jobs()).toMatchObject([{ status: 'CANCELLED' }]);
    expect([runs(), cancels()]).toEqual([1, 1]);
    // It was cancelled once: by hand, it runs again.
    await (await queue.getJob(job.id!))!.retry();
    await expect.poll(runs).toBe(2);
    expect(await firstValueFrom(cancelJob(redis, await queue.getJob('no such job')))).toBe(false);
  });

  test('S41 a job that waits is never submitted where it was cancelled', async () => {
    const { add, start, redis, runs, state } = queueOf();
    const job = await add('a', 600_000);
    await firstValueFrom(cancelJob(redis, job));
    start();
    await expect.poll(() => state(job.id)).toBe('failed');
    expect(runs()).toBe(0);
  });

  test('S41 a job stays cancelled where its worker is lost before BullMQ knows', async () => {
    const { add, start, redis, runs, state } = queueOf();
    const { worker, processor } = start({}, { autorun: false });
    const { id = '', queueQualifiedName } = await add('a', 600_000, { attempts: 3 });
    const job = await worker.getNextJob('token');
    await firstValueFrom(cancelJob(redis, job));
    await expect(processor(job, 'token', undefined)).rejects.toThrow('cancelled');
    // It is killed now.
    await redis.del(`${queueQualifiedName}:${id}:lock`);
    start();
    await expect.poll(() => state(id), { timeout: 10_000 }).toBe('failed');
    expect(runs()).toBe(0);
  });

  test('S41 cancelJob does not cancel another job with the same id', async () => {
    const { add, start, redis, queue, result, runs } = queueOf();
    start();
    const old = await add('a', 0, { jobId: 'same' });
    await expect.poll(() => result(old)).toBeTruthy();
    await old.remove();
    const job = await queue.add('order', { id: 'b', ms: 1_000 }, { jobId: 'same', timestamp: old.timestamp + 1 });
    await expect.poll(runs).toBe(2);
    expect(await firstValueFrom(cancelJob(redis, old))).toBe(false);
    await expect.poll(() => result(job)).toEqual({ echo: { id: 'b', ms: 1_000 } });
  });

  test.each(['a job with the same id', 'the same job, run again'])(
    'S42 a worker that was stopped while it completed a job does not remove the row of %s',
    async (which) => {
      const { add, start, result, runs, row } = queueOf();
      start();
      const old = await add('a', 0, { jobId: 'same' });
      await expect.poll(() => result(old)).toBeTruthy();
      await expect.poll(() => row(old)).toBeNull();
      if (which === 'the same job, run again') await old.retry('completed');
      else {
        await old.remove();
        await add('a', 600_000, { jobId: 'same' });
      }
      await expect.poll(runs).toBe(2);
      await expect.poll(() => row(old)).toContain('submitted');
      const { processor, connection } = start({}, { autorun: false });
      processor.watch({
        on: (event: string, listener: (job: never) => void) => {
          if (event === 'completed') listener(old as never);
        },
      });
      await connection.ping();
      expect(await row(old)).toContain('submitted');
    },
  );

  test('S41 worker.cancelJob cancels on the service, once', async () => {
    const { add, start, runs, cancels, state } = queueOf();
    const { worker } = start();
    const job = await add('a', 600_000, { attempts: 3 });
    await expect.poll(runs).toBe(1);
    expect(worker.cancelJob(job.id!)).toBe(true);
    await expect.poll(() => state(job.id)).toBe('failed');
    expect([runs(), cancels()]).toEqual([1, 1]);
  });

  test('S41 a worker whose client is closed gives its job back, and takes no more', async () => {
    const { add, start, runs, result } = queueOf();
    const { worker, client } = start();
    let taken = 0;
    worker.on('active', () => taken++);
    const job = await add('a', 1_000);
    await expect.poll(runs).toBe(1);
    client.close().subscribe();
    await expect.poll(() => worker.isPaused()).toBe(true);
    start();
    await expect.poll(() => result(job)).toMatchObject({ echo: { id: 'a' } });
    // What it was about to take as it was paused, it takes.
    expect(taken).toBeLessThanOrEqual(2);
    expect(runs()).toBe(1);
  });

  test('S41 a cancel that cannot be noted is final all the same', async () => {
    const { add, start, runs, cancels, state, redis } = queueOf();
    const failing: RedisClient = {
      eval: (script, count, ...args) =>
        script.includes('== ARGV[3] then') ? Promise.reject(new Error('READONLY')) : redis.eval(script, count, ...args),
    };
    const { worker } = start({ redis: failing });
    const job = await add('a', 600_000, { attempts: 3 });
    await expect.poll(runs).toBe(1);
    worker.cancelJob(job.id!);
    await expect.poll(() => state(job.id)).toBe('failed');
    expect([runs(), cancels()]).toEqual([1, 1]);
  });

  test('S43 a job that FAILED fails an attempt, and the next submits a new job', async () => {
    const { add, start, runs, result, queue } = queueOf({ endpoints: { demo: flaky() } });
    start();
    const job = await add('a', 0, { attempts: 2 });
    await expect.poll(() => result(job)).toBe('fine');
    expect((await queue.getJob(job.id!))?.attemptsMade).toBe(2);
    expect(runs()).toBe(2);
  });

  test('S43 a job without another attempt fails with its words, and runs again where somebody retries it', async () => {
    const { add, start, runs, result, state, queue } = queueOf({ endpoints: { demo: flaky() } });
    start();
    const job = await add('a');
    await expect.poll(() => state(job.id)).toBe('failed');
    const failed = await queue.getJob(job.id!);
    expect(failed?.failedReason).toContain('once');
    await failed!.retry('failed', { resetAttemptsMade: true });
    await expect.poll(() => result(job)).toBe('fine');
    expect(runs()).toBe(2);
  });

  test('S43 an attempt that fails after its job has completed does not pay again', async () => {
    const { add, start, runs, result, queue } = queueOf();
    const { processor, connection } = start({}, { autorun: false });
    let saves = 0;
    const worker = new Worker<Order>(
      'orders',
      async (job, token, signal) => {
        const output = await processor(job, token, signal);
        saves++;
        if (saves === 1) throw new Error('the output cannot be saved now');
        return output;
      },
      { connection, prefix: queue.opts.prefix! },
    );
    processor.watch(worker);
    const job = await add('a', 0, { attempts: 3 });
    await expect.poll(() => result(job)).toEqual({ echo: { id: 'a', ms: 0 } });
    expect([saves, runs()]).toEqual([2, 1]);
    await worker.close();
  });

  test('a job that completes before its cancel is noticed runs again where somebody retries it', async () => {
    const gate = gated();
    const { add, start, redis, runs, result, row } = queueOf({ endpoints: { demo: gate.endpoint } });
    start({ heartbeat: 60_000 });
    const job = await add('a');
    await expect.poll(gate.running).toBe(1);
    await firstValueFrom(cancelJob(redis, job));
    gate.open();
    await expect.poll(() => result(job)).toBeTruthy();
    await expect.poll(() => row(job)).toBeNull();
    await job.retry('completed');
    await expect.poll(runs).toBe(2);
    await expect.poll(() => result(job)).toBeTruthy();
  });

  test('S43 an output that BullMQ cannot store as JSON fails the job, rather than paying again', async () => {
    const { add, start, runs, state, queue, emulator } = queueOf();
    const client = createRunpod({ transport: emulator.transport, apiKey: 'key', limits: false });
    // Integers beyond 2^53, as a parser of the user's may make them.
    const parse = (text: string): unknown =>
      JSON.parse(text, (name, value: unknown) => (name === 'ms' ? BigInt(value as number) : value));
    const { connection } = start({}, { autorun: false });
    const processor = createProcessor(client.endpoint<Order>('demo', { parse }), { redis: connection });
    const worker = new Worker<Order>('orders', processor, { connection, prefix: queue.opts.prefix! });
    const job = await add('a', 7, { attempts: 3 });
    await expect.poll(() => state(job.id)).toBe('failed');
    expect((await queue.getJob(job.id!))?.failedReason).toContain('cannot be stored as JSON');
    expect(runs()).toBe(1);
    await worker.close();
  });

  test('two queues with one processor: a lock that a worker has lost is no concern of the other', async () => {
    const gate = gated();
    const { add, start, result, state, queue, redis } = queueOf({ endpoints: { demo: gate.endpoint } });
    const { processor } = start();
    let lose: (ids: string[]) => void = () => undefined;
    processor.watch({
      on: (event: string, listener: (ids: never) => void) => {
        if (event === 'lockRenewalFailed') lose = listener as never;
      },
    });
    const job = await add('a');
    await expect.poll(gate.running).toBe(1);
    lose([job.id!]);
    await redis.ping();
    gate.open();
    await expect.poll(() => result(job)).toBeTruthy();
    expect(await state(job.id)).toBe('completed');
    expect((await queue.getJob(job.id!))?.stalledCounter).toBe(0);
  });

  test('S43 what would be in vain is not retried', async () => {
    const { queue, start, runs, state } = queueOf();
    start();
    const job = await queue.add('order', {} as never, { attempts: 5 });
    await expect.poll(() => state(job.id)).toBe('failed');
    const failed = await queue.getJob(job.id!);
    expect(failed).toMatchObject({ attemptsMade: 1, failedReason: expect.stringContaining('input') as string });
    expect(runs()).toBe(0);
  });

  test.each([
    ['fail', 'failed', 1],
    ['resubmit', 'completed', 2],
  ] as const)('S40 a job whose answer was lost is ambiguous: %s', async (ambiguous, expected, times) => {
    const { add, start, runs, state } = queueOf({ faults: [{ fault: 'reset-after', on: 'run', times: 1 }] });
    start({ ambiguous });
    const job = await add('a', 0, { attempts: 5 });
    await expect.poll(() => state(job.id)).toBe(expected);
    expect(runs()).toBe(times);
  });

  test('a job fails where the option redis leads to another Redis, or has a prefix', async () => {
    const { add, start, runs, state, queue, redis } = queueOf();
    const prefixed = redis.duplicate({ keyPrefix: 'other:' });
    onTestFinished(() => {
      prefixed.disconnect();
    });
    start({ redis: prefixed });
    const job = await add('a', 0, { attempts: 3 });
    await expect.poll(() => state(job.id)).toBe('failed');
    expect((await queue.getJob(job.id!))?.failedReason).toContain("must lead to the queue's own Redis");
    expect(runs()).toBe(0);
  });

  test('release gives the jobs back without a worker that is watched', async () => {
    const { add, start, runs, state } = queueOf();
    const { processor, worker } = start();
    const job = await add('a', 600_000);
    await expect.poll(runs).toBe(1);
    processor.release();
    await worker.close();
    expect(await state(job.id)).toBe('waiting');
  });
});

test('options that cannot work are refused at once', () => {
  const endpoint = createRunpod({ transport: () => [] as never, apiKey: 'key' }).endpoint('demo');
  const make = (options: unknown) => () => createProcessor(endpoint, options as ProcessorOptions);
  expect(make({})).toThrow(/redis is undefined: it must be a client of ioredis/);
  expect(make({ redis: { eval: () => undefined }, heartbeet: 1 })).toThrow(/heartbeet is .*did you mean heartbeat/);
  expect(() => createProcessor({} as never, { redis: { eval: () => Promise.resolve() } })).toThrow(/endpoint/);
});
