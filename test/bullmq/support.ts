import { randomUUID } from 'node:crypto';
import { Queue, Worker, type Job, type JobsOptions, type WorkerOptions } from 'bullmq';
import { Redis } from 'ioredis';
import { map } from 'rxjs';
import { onTestFinished } from 'vitest';
import { createRunpod } from 'runpod-rx';
import { createProcessor, workerOptions, type ProcessorOptions } from 'runpod-rx/bullmq';
import { createEmulator, type EmulatedEndpoint, type EmulatorOptions } from 'runpod-rx/testing';
import { redisServer } from '../support/engines.js';

export interface Order {
  readonly id: string;
  readonly ms?: number;
}

/** A job takes `input.ms` milliseconds, and its output echoes the input. */
const demo: EmulatedEndpoint = {
  handler: ({ input }, { delay }) => delay(Number(input.ms ?? 0)).pipe(map(() => ({ echo: input }))),
};

/** How BullMQ's clocks run in these tests: as in production, and thirty times as fast. */
const FAST = { lockDuration: 1_000, stalledInterval: 500, drainDelay: 1 } as const;

export function redisClient(url = redisServer?.url ?? ''): Redis {
  const redis = new Redis(url, { maxRetriesPerRequest: null });
  redis.on('error', () => undefined);
  onTestFinished(() => {
    redis.disconnect();
  });
  return redis;
}

/** A queue of its own, an emulator, and workers on both: each has a client and a connection of its own, as a process has. */
export function queueOf(options: Partial<EmulatorOptions> = {}, url = redisServer?.url ?? '') {
  const prefix = `runpod-rx-test-${randomUUID()}`;
  const redis = redisClient(url);
  const emulator = createEmulator({ limits: false, seed: 1, ...options, endpoints: { demo, ...options.endpoints } });
  const queue = new Queue<Order>('orders', { connection: redis, prefix });
  queue.on('error', () => undefined);
  const workers: Worker[] = [];
  onTestFinished(async () => {
    await Promise.all(workers.map((worker) => worker.close(true)));
    await queue.close();
    const keys = await redis.keys(`${prefix}:*`);
    if (keys.length > 0) await redis.del(keys);
  });

  const start = (given: Partial<ProcessorOptions<Order>> = {}, more: Partial<WorkerOptions> = {}) => {
    const connection = redisClient(url);
    const client = createRunpod({ transport: emulator.transport, apiKey: 'key', limits: false });
    const processor = createProcessor(client.endpoint<Order>('demo'), { redis: connection, heartbeat: 100, ...given });
    const worker = new Worker<Order>('orders', processor, {
      connection,
      prefix,
      concurrency: 10,
      ...workerOptions,
      ...FAST,
      ...more,
    });
    worker.on('error', () => undefined);
    processor.watch(worker);
    workers.push(worker);
    return { worker, processor, client, connection };
  };

  return {
    redis,
    queue,
    emulator,
    start,
    add: (id: string, ms = 0, opts: JobsOptions = {}) => queue.add('order', { id, ms }, opts),
    runs: () => emulator.requests().filter(({ operation }) => operation === 'run').length,
    cancels: () => emulator.requests().filter(({ operation }) => operation === 'cancel').length,
    result: async ({ id = '' }: Job) => (await queue.getJob(id))?.returnvalue as unknown,
    row: ({ id = '', queueQualifiedName }: Job) => redis.hget(`${queueQualifiedName}:${id}`, 'runpod-rx'),
    state: async (id: string | undefined) => (await queue.getJob(id ?? ''))?.getState(),
  };
}
