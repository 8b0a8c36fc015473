import { expect, test, describe } from 'vitest';
import { bossWebhooks } from 'runpod-rx/pg-boss';
import { postgresServer } from '../support/engines.js';
import { storeKeeps } from '../support/webhookStore.js';
import { queueOf } from './support.js';

describe.skipIf(!postgresServer)('bossWebhooks', () => {
  test('keeps what a receiver of webhooks needs, and removes what is over', async () => {
    const { boss, schema, sql } = await queueOf();
    await storeKeeps(bossWebhooks(boss, { schema }), bossWebhooks(boss, { schema }));
    const names = await sql(`select name from ${schema}.runpod_rx_webhooks where keep_until <= now()`);
    expect(names).toEqual([]);
  });

  test('stores that are used at the same moment make the table once, and all work', async () => {
    const { boss, schema } = await queueOf();
    const stores = Array.from({ length: 8 }, () => bossWebhooks(boss, { schema }));
    expect(await Promise.all(stores.map(async (store) => store.get('none')))).toEqual(stores.map(() => undefined));
  });
});

test('bossWebhooks wants pg-boss', () => {
  expect(() => bossWebhooks({} as never)).toThrow(/boss is .*it must be an instance of pg-boss/);
  expect(() => bossWebhooks({ getDb: () => undefined } as never, { schema: 'no-name' })).toThrow(/schema/);
});
