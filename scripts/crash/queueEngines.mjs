import { randomUUID } from 'node:crypto';
import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import PgBoss from 'pg-boss';
import { firstValueFrom, lastValueFrom } from 'rxjs';
import { cancelJob, createProcessor, redisWebhooks, workerOptions } from 'runpod-rx/bullmq';
import { bossWebhooks, createWorker } from 'runpod-rx/pg-boss';

/** How long an engine takes a worker of which it hears nothing for alive, in milliseconds. */
const PATIENCE = 3_000;

/** A name in the engine that no other run has. */
export const placeName = () => `runpod_rx_crash_${randomUUID().replaceAll('-', '').slice(0, 16)}`;

/**
 * What the crash test does with each engine: the same, whichever it is. `place` keeps runs apart: the prefix of BullMQ's keys,
 * the schema of pg-boss.
 */
export const engines = {
  bullmq: {
    async open(url, place) {
      const connection = new Redis(url, { maxRetriesPerRequest: null });
      connection.on('error', () => undefined);
      const queue = new Queue('jobs', { connection, prefix: place });
      queue.on('error', () => undefined);
      return {
        add: async (keys, ms) => {
          const jobs = await queue.addBulk(keys.map((key) => ({ name: 'job', data: { key, ms } })));
          return jobs.map(({ id }) => id);
        },
        ended: async () => {
          const [completed, failed] = await Promise.all([queue.getCompleted(), queue.getFailed()]);
          return {
            completed: completed.map(({ data, returnvalue }) => ({ key: data.key, of: returnvalue?.of })),
            failed: failed.map(({ data, failedReason }) => ({ key: data.key, reason: failedReason })),
          };
        },
        cancel: async (id) => firstValueFrom(cancelJob(connection, await queue.getJob(id))),
        close: async () => {
          await queue.obliterate({ force: true });
          await queue.close();
          connection.disconnect();
        },
      };
    },
    // A run with the same seed has jobs with the same ids.
    webhooks: (url, place) => {
      const options = { maxRetriesPerRequest: null, keyPrefix: `${place}:` };
      return redisWebhooks(new Redis(url, options).on('error', () => undefined));
    },
    start(endpoint, { url, place, concurrency, options }) {
      const connection = new Redis(url, { maxRetriesPerRequest: null });
      connection.on('error', () => undefined);
      const processor = createProcessor(endpoint, { redis: connection, heartbeat: 500, ...options });
      const worker = new Worker('jobs', processor, {
        connection,
        prefix: place,
        concurrency,
        lockDuration: PATIENCE,
        stalledInterval: PATIENCE / 2,
        drainDelay: 1,
        ...workerOptions,
      });
      worker.on('error', () => undefined);
      processor.watch(worker);
      return () => worker.close();
    },
  },
  'pg-boss': {
    async open(url, place) {
      const boss = await startBoss(url, place);
      await boss.createQueue('jobs');
      return {
        add: async (keys, ms) => {
          const ids = keys.map(() => randomUUID());
          await boss.insert(keys.map((key, index) => ({ id: ids[index], name: 'jobs', data: { key, ms } })));
          return ids;
        },
        ended: async () => {
          const text = `select data ->> 'key' as key, state, output from ${place}.job where name = 'jobs'`;
          const { rows } = await boss.getDb().executeSql(text, []);
          return {
            completed: rows
              .filter(({ state }) => state === 'completed')
              .map(({ key, output }) => ({ key, of: output?.of })),
            failed: rows
              .filter(({ state }) => state === 'failed' || state === 'cancelled')
              .map(({ key, state, output }) => ({ key, reason: output?.message ?? state })),
          };
        },
        cancel: (id) => boss.cancel('jobs', id),
        close: async () => {
          await boss.getDb().executeSql(`drop schema ${place} cascade`, []);
          await boss.stop({ graceful: false });
        },
      };
    },
    webhooks: async (url, place) => bossWebhooks(await startBoss(url, place), { schema: place }),
    async start(endpoint, { url, place, concurrency, options }) {
      const boss = await startBoss(url, place);
      const worker = createWorker(boss, 'jobs', endpoint, {
        schema: place,
        concurrency,
        pollInterval: 200,
        heartbeat: 500,
        lease: PATIENCE,
        ...options,
      });
      const running = worker.events$.subscribe({ error: (error) => console.error(error) });
      return async () => {
        running.unsubscribe();
        await lastValueFrom(worker.settled(), { defaultValue: undefined });
        await boss.stop({ graceful: false });
      };
    },
  },
};

async function startBoss(connectionString, schema) {
  const boss = new PgBoss({ connectionString, schema, max: 4, schedule: false });
  boss.on('error', () => undefined);
  return boss.start();
}
