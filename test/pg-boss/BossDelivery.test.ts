import { randomUUID } from 'node:crypto';
import { NEVER, lastValueFrom } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { createRunpod } from 'runpod-rx';
import { bossDelivery } from '../../src/pg-boss/BossDelivery.js';
import { BossTable } from '../../src/pg-boss/BossTable.js';
import { checksOfWorker, type WorkerOptions } from '../../src/pg-boss/WorkerOptions.js';
import type { BossJob } from '../../src/pg-boss/Boss.js';
import { queueTerms } from '../../src/queues/queueTerms.js';
import { postgresServer } from '../support/engines.js';
import { queueOf, type Order } from './support.js';

/** A job that was fetched from a queue. */
async function fetched() {
  const made = await queueOf();
  const table = new BossTable(made.boss, 'orders', made.schema);
  await table.open();
  const id = await made.add('a', 0, { retryLimit: 3 });
  const [job] = (await table.fetch(1)) as BossJob<Order>[];
  return { ...made, table, id, taken: job! };
}

describe.skipIf(!postgresServer)('a delivery of pg-boss', () => {
  test('S41 that fails after another worker has taken the job is lost, and the other goes on', async () => {
    const { table, id, taken, job, emulator } = await fetched();
    const [first, second] = [randomUUID(), randomUUID()];
    expect(await table.claim(taken, first)).toBe(true);
    expect(await table.claim(taken, second)).toBe(true);
    const endpoint = createRunpod({ transport: emulator.transport, apiKey: 'key', limits: false }).endpoint<Order>(
      'demo',
    );
    const options: WorkerOptions<Order> = {
      request: () => {
        throw new Error('no');
      },
    };
    const terms = queueTerms<BossJob<Order>, Order, unknown, unknown, WorkerOptions<Order>>(
      'test',
      endpoint,
      options,
      checksOfWorker,
    );
    const event = await lastValueFrom(bossDelivery({ terms, options, table, released$: NEVER }, taken, first));
    expect(event.type).toBe('lost');
    expect(await job(id)).toMatchObject({ state: 'active', retryCount: 0 });
    expect(await table.beat(id, second)).toBe('owned');
  });

  test('S42 that ends after its job went back to the queue is lost, and the next completes it', async () => {
    const { table, id, taken, job, emulator, sql, schema, runs } = await fetched();
    const endpoint = createRunpod({ transport: emulator.transport, apiKey: 'key', limits: false }).endpoint<Order>(
      'demo',
    );
    const terms = queueTerms<BossJob<Order>, Order, unknown, unknown, WorkerOptions<Order>>(
      'test',
      endpoint,
      {},
      checksOfWorker,
    );
    const deliver = async (one: BossJob<Order>) => {
      const claimId = randomUUID();
      await table.claim(one, claimId);
      return lastValueFrom(bossDelivery({ terms, options: {}, table, released$: NEVER }, one, claimId));
    };
    const complete = table.complete.bind(table);
    table.complete = async (...given) => {
      await sql(`update ${schema}.job set state = 'retry', started_on = null where id = $1`, [id]);
      return complete(...given);
    };
    expect(await deliver(taken)).toMatchObject({ type: 'lost' });
    expect(await job(id)).toMatchObject({ state: 'retry' });
    table.complete = complete;
    const [again] = (await table.fetch(1)) as BossJob<Order>[];
    expect(await deliver(again!)).toMatchObject({ type: 'completed', output: { echo: { id: 'a' } } });
    expect(await job(id)).toMatchObject({ state: 'completed' });
    expect(runs()).toBe(1);
  });

  test('S42 writes what leads to a submission as the owner only, also where the row says it already', async () => {
    const { table, id, taken } = await fetched();
    const [first, second] = [randomUUID(), randomUUID()];
    await table.claim(taken, first);
    const row = table.row(id, first);
    const text = '{"state":"sending"}';
    const owned = { before: undefined, owned: true };
    expect(await row.write(text, owned)).toBe('written');
    // A write whose answer was lost is written again.
    expect(await row.write(text, owned)).toBe('written');
    await table.claim(taken, second);
    expect(await row.write(text, owned)).toBe('lost');
    expect(await row.write(text, { before: undefined, owned: false })).toBe('written');
    expect(await table.row(id, second).write('{"state":"wanted"}', owned)).toBe('changed');
  });
});
