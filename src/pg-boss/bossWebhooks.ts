import { assertOptions } from '../errors/invalidOptions.js';
import { having, required } from '../protocol/checkOptions.js';
import type { WebhookStore } from '../server/webhooks/WebhookStore.js';
import type { Boss } from './Boss.js';
import { tableLock } from './tableLock.js';
import { schemaName } from './WorkerOptions.js';

/**
 * A store for `createWebhooks` in the database of pg-boss: for receivers of webhooks and workers on any number of machines.
 *
 * ```ts
 * const webhooks = createWebhooks({ url, secret, store: bossWebhooks(boss) });
 * ```
 *
 * It makes the table `runpod_rx_webhooks` in the schema of pg-boss, and removes what is over.
 *
 * @param schema - the schema of pg-boss, as its own option says
 */
export function bossWebhooks(boss: Boss, { schema = 'pgboss' }: { readonly schema?: string } = {}): WebhookStore {
  const checks = { boss: required(having('an instance of pg-boss', 'getDb')), schema: schemaName };
  assertOptions('bossWebhooks', { boss, schema }, checks);
  const table = `${schema}.runpod_rx_webhooks`;
  let opening: Promise<unknown> | undefined;

  const execute = async (text: string, values: unknown[] = []): Promise<readonly { readonly value: string }[]> => {
    const result = await boss.getDb().executeSql(text, values);
    if (!result) throw new Error('pg-boss is not started, or has ended');
    // The columns of the statements below.
    return result.rows as { readonly value: string }[];
  };
  const open = () =>
    execute(`
      ${tableLock(table)}
      create table if not exists ${table} (name text primary key, value text not null, keep_until timestamptz not null);
      create index if not exists runpod_rx_webhooks_keep on ${table} (keep_until)
    `);
  const query = async (text: string, values: unknown[]) => {
    opening ??= open();
    try {
      await opening;
    } catch (error) {
      opening = undefined;
      throw error;
    }
    return execute(text, values);
  };
  const get = async (name: string): Promise<string | undefined> =>
    (await query(`select value from ${table} where name = $1 and keep_until > now()`, [name]))[0]?.value;
  const add = async (name: string, value: string, keepFor: number): Promise<string | undefined> => {
    const made = await query(
      `insert into ${table} as old (name, value, keep_until) values ($1, $2, now() + $3 * interval '1 ms')
       on conflict (name) do update set value = excluded.value, keep_until = excluded.keep_until
       where old.keep_until <= now() returning value`,
      [name, value, keepFor],
    );
    // One that is over just now is added after all.
    return made.length > 0 ? undefined : ((await get(name)) ?? add(name, value, keepFor));
  };

  return {
    get,
    add,
    set: async (name, value, keepFor) => {
      await query(`delete from ${table} where keep_until <= now()`, []);
      await query(
        `insert into ${table} (name, value, keep_until) values ($1, $2, now() + $3 * interval '1 ms')
         on conflict (name) do update set value = excluded.value, keep_until = excluded.keep_until`,
        [name, value, keepFor],
      );
    },
  };
}
