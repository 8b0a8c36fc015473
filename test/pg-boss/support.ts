import { randomUUID } from 'node:crypto';
import PgBoss from 'pg-boss';
import { Pool } from 'pg';
import { map, type Subscription } from 'rxjs';
import { onTestFinished } from 'vitest';
import { createRunpod } from 'runpod-rx';
import { createWorker, type BossEvent, type WorkerOptions } from 'runpod-rx/pg-boss';
import { createEmulator, type EmulatedEndpoint, type EmulatorOptions } from 'runpod-rx/testing';
import { postgresServer } from '../support/engines.js';

export interface Order {
  readonly id: string;
  readonly ms?: number;
}

/** A job takes `input.ms` milliseconds, and its output echoes the input. */
const demo: EmulatedEndpoint = {
  handler: ({ input }, { delay }) => delay(Number(input.ms ?? 0)).pipe(map(() => ({ echo: input }))),
};

/** How the worker's clocks run in these tests: some thirty times as fast as by default. */
const FAST = { pollInterval: 100, heartbeat: 100, lease: 1_500 } as const;

/** A queue in a schema of its own, an emulator, and workers on both: each has a client and a pool of its own, as a process has. */
export async function queueOf(options: Partial<EmulatorOptions> = {}, url = postgresServer?.url ?? '') {
  const schema = `runpod_rx_test_${randomUUID().replaceAll('-', '')}`;
  const emulator = createEmulator({ limits: false, seed: 1, ...options, endpoints: { demo, ...options.endpoints } });
  const bosses: PgBoss[] = [];
  const makeBoss = async () => {
    const made = new PgBoss({ connectionString: url, schema, max: 4, schedule: false, supervise: false });
    made.on('error', () => undefined);
    await made.start();
    bosses.push(made);
    return made;
  };
  const boss = await makeBoss();
  await boss.createQueue('orders');
  const workers: Subscription[] = [];
  onTestFinished(async () => {
    for (const worker of workers) worker.unsubscribe();
    await Promise.all(bosses.map((one) => one.stop({ graceful: false })));
    const pool = new Pool({ connectionString: url });
    await pool.query(`drop schema ${schema} cascade`);
    await pool.end();
  });

  const start = async (given: Partial<WorkerOptions<Order>> = {}) => {
    const client = createRunpod({ transport: emulator.transport, apiKey: 'key', limits: false });
    const own = await makeBoss();
    const worker = createWorker(own, 'orders', client.endpoint<Order>('demo'), { schema, ...FAST, ...given });
    const events: BossEvent<Order>[] = [];
    const running = worker.events$.subscribe((event) => events.push(event));
    workers.push(running);
    return { worker, boss: own, running, events, client };
  };

  return {
    boss,
    schema,
    emulator,
    start,
    sql: async (text: string, values: unknown[] = []) =>
      (await boss.getDb().executeSql(text, values)).rows as unknown[],
    add: async (id: string, ms = 0, opts: PgBoss.SendOptions = {}) => (await boss.send('orders', { id, ms }, opts))!,
    job: (id: string) => boss.getJobById<Order>('orders', id),
    runs: () => emulator.requests().filter(({ operation }) => operation === 'run').length,
    cancels: () => emulator.requests().filter(({ operation }) => operation === 'cancel').length,
  };
}
