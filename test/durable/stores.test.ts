import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Pool } from 'pg';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { runAll } from 'runpod-rx';
import {
  durable,
  fileStore,
  memoryStore,
  postgresStore,
  sqliteStore,
  type JobRow,
  type JobStore,
} from 'runpod-rx/durable';
import type { SqliteDatabase } from 'runpod-rx/durable';
import { postgresServer as postgres } from '../support/engines.js';
import { order, rowsOf, service, shown } from './support.js';

const folder = mkdtempSync(join(tmpdir(), 'runpod-rx-stores-'));
const pools: Pool[] = [];
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  // Not waited for: a test that fails leaves a connection that is in use.
  for (const one of pools) void one.end();
});

/** `node:sqlite`, where this Node has it. */
function sqlite(): { readonly DatabaseSync: new (path: string) => SqliteDatabase } | undefined {
  try {
    return createRequire(import.meta.url)('node:sqlite') as ReturnType<typeof sqlite>;
  } catch {
    return undefined;
  }
}

function pool(): Pool {
  const made = new Pool({ connectionString: postgres?.url, max: 2 });
  // A connection that breaks while nobody uses it.
  made.on('error', () => undefined);
  pools.push(made);
  return made;
}

let made = 0;

/** Makes stores on a place of their own, as processes open it one after the other. */
const kinds: Record<string, () => () => JobStore> = {
  memoryStore: () => {
    const store = memoryStore();
    return () => store;
  },
  fileStore: () => {
    const path = join(folder, 'a folder', `${++made}.journal`);
    return () => fileStore(path);
  },
};
const { DatabaseSync } = sqlite() ?? {};
if (DatabaseSync)
  kinds.sqliteStore = () => {
    const path = join(folder, `${++made}.db`);
    return () => sqliteStore(new DatabaseSync(path));
  };
else process.stderr.write('node:sqlite is not in this version of Node: its store is not tested\n');
if (postgres)
  kinds.postgresStore = () => {
    const name = `test ${process.pid} ${++made}`;
    return () => postgresStore(pool(), { name });
  };

const row = (key: string, more: Partial<JobRow> = {}): JobRow => ({
  key,
  fingerprint: 'f'.repeat(32),
  state: 'wanted',
  generation: 1,
  ...more,
});

describe.each(Object.keys(kinds))('S37 %s', (kind) => {
  test('keeps rows for the next process', async () => {
    const open = kinds[kind]!();
    const store = open();
    expect((await store.get('a')) ?? undefined).toBeUndefined();
    const a = row('a', { state: 'submitted', ref: { v: 1, endpointId: 'demo', id: 'x' }, sentAt: 5, leaving: true });
    const b = row('b', { state: 'ended', end: { job: { id: 'y', output: { big: 2n ** 70n, text: 'ä\n\t"' } } } });
    await Promise.all([store.put(row('a')), store.put(row('b')), store.put(row('c'))]);
    await Promise.all([store.put(row('a', { state: 'sending' })), store.put(a), store.put(b), store.delete('c')]);
    await Promise.all([store.commit('a'), store.commit('b'), store.commit('none')]);
    const expected = [a, { ...b, committed: true }];
    expect(await rowsOf(store)).toEqual(expected);
    await store.close();
    const next = open();
    expect(await rowsOf(next)).toEqual(expected);
    expect(await next.get('b')).toEqual(expected[1]);
    const submitted: JobRow[] = [];
    for await (const one of next.rows('submitted')) submitted.push(one);
    expect(submitted).toEqual([a]);
    await next.put(row('b'));
    expect(await next.get('b')).toEqual(row('b'));
    await next.close();
  });

  test('takes thousands of changes, and gives all rows', async () => {
    const store = kinds[kind]!()();
    const keys = Array.from({ length: 1_200 }, (_, n) => `key ${String(n).padStart(4, '0')}`);
    await Promise.all(keys.flatMap((key) => [store.put(row(key)), store.put(row(key, { generation: 2 }))]));
    expect((await rowsOf(store)).map(({ key, generation }) => [key, generation])).toEqual(keys.map((key) => [key, 2]));
    await store.close();
  });

  test('serves a pipeline that is left, and started again', async () => {
    const open = kinds[kind]!();
    const emulated = service({ endpoints: { demo: { handler: () => 'fine' } } });
    const run = async (store: JobStore, keys: string) => {
      const jobs = durable(emulated.client.endpoint<{ id: string }>('demo'), { store, key: ({ input }) => input.id });
      const seen = emulated.see(
        runAll(
          jobs,
          [...keys].map((id) => order(id)),
        ),
      );
      // The store works in real time, and the emulator in virtual time.
      await expect
        .poll(() => {
          emulated.until(emulated.scheduler.now() + 500);
          return seen.ended;
        })
        .toBeDefined();
      await store.close();
      expect(seen.values.flatMap((item) => (item.ok ? [] : [item.error]))).toEqual([]);
      return shown(seen).sort();
    };
    expect(await run(open(), 'ab')).toEqual(['a', 'b']);
    expect(await run(open(), 'abc')).toEqual(['a', 'b', 'c']);
    expect(emulated.runs()).toBe(3);
  });

  test.skipIf(kind === 'memoryStore')('has one owner at a time', async () => {
    const open = kinds[kind]!();
    const [first, second] = [open(), open()];
    await first.put(row('a'));
    await expect(second.get('a')).rejects.toThrow(/owned by/);
    await expect(second.put(row('a', { state: 'ended' }))).rejects.toThrow(/owned by/);
    await first.close();
    await expect((async () => first.put(row('b')))()).rejects.toThrow(/closed/);
    expect(await second.get('a')).toEqual(row('a'));
    await second.close();
  });
});

describe.skipIf(!postgres)('S37 postgresStore', () => {
  test('is made by many processes at once', async () => {
    const schema = `test_${process.pid}_${++made}`;
    const admin = pool();
    await admin.query(`create schema ${schema}`);
    const stores = Array.from({ length: 8 }, (_, n) => {
      const own = new Pool({ connectionString: postgres?.url, max: 1, options: `-c search_path=${schema}` });
      pools.push(own);
      return { own, store: postgresStore(own, { name: `${schema} ${n}` }) };
    });
    // Connected, so that their first statements come at once.
    await Promise.all(stores.map(({ own }) => own.query('select 1')));
    await Promise.all(stores.map(({ store }) => store.put(row('a'))));
    for (const { store } of stores) expect(await rowsOf(store)).toEqual([row('a')]);
    await Promise.all(stores.map(({ store }) => store.close()));
    await admin.query(`drop schema ${schema} cascade`);
  });

  test('that was closed leaves nothing in its pool', async () => {
    const own = new Pool({ connectionString: postgres?.url, max: 1 });
    pools.push(own);
    for (let n = 0; n < 3; n++) {
      const store = postgresStore(own, { name: `test ${process.pid}` });
      await store.get('a');
      await store.close();
    }
    const client = await own.connect();
    expect([client.listenerCount('error'), client.listenerCount('end')]).toEqual([0, 0]);
    client.release();
  });

  test('that has lost its connection writes nothing any more, and another takes over', async () => {
    const open = kinds.postgresStore!();
    const store = open();
    await store.put(row('a'));
    const admin = pool();
    const { rows } = await admin.query<{ pid: number }>(
      "select pid from pg_locks where locktype = 'advisory' and objid = hashtext($1)::bit(32)::bigint::oid",
      [`test ${process.pid} ${made}`],
    );
    await admin.query('select pg_terminate_backend($1)', [rows[0]!.pid]);
    await expect
      .poll(async () => Promise.resolve(store.put(row('b'))).then(() => 'written', String))
      .toMatch(/lost|terminat/);
    const next = open();
    await expect.poll(async () => Promise.resolve(next.get('a')).then(Object, String)).toEqual(row('a'));
    await expect((async () => store.put(row('c')))()).rejects.toThrow(/lost|terminated/);
    expect(await rowsOf(next)).toEqual([row('a')]);
    await next.close();
  });
});

/** Another process that opens a transaction, says so, and ends it half a second later. */
async function busyProcess(path: string): Promise<void> {
  const program = `
    import { DatabaseSync } from 'node:sqlite';
    const db = new DatabaseSync(process.argv[1]);
    db.exec('begin immediate');
    console.log('begun');
    setTimeout(() => db.exec('commit'), 500);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill());
  await once(child.stdout, 'data');
}

describe.skipIf(!DatabaseSync)('S37 sqliteStore', () => {
  test('waits for a transaction of another process', async () => {
    const path = join(folder, `${++made}.db`);
    const store = sqliteStore(new DatabaseSync!(path));
    await store.put(row('a'));
    await busyProcess(path);
    await store.put(row('b'));
    await store.close();
    await busyProcess(path);
    const next = sqliteStore(new DatabaseSync!(path));
    expect(await rowsOf(next)).toEqual([row('a'), row('b')]);
    await next.close();
  });

  test('that is full says so, and is written to again when there is room', async () => {
    const db = new DatabaseSync!(join(folder, `${++made}.db`));
    const store = sqliteStore(db);
    await store.put(row('a'));
    db.exec('pragma max_page_count = 12');
    const large = row('a', { state: 'ended', end: { job: { output: 'x'.repeat(200_000) } } });
    await expect(store.put(large)).rejects.toThrow('full');
    expect(await store.get('a')).toEqual(row('a'));
    db.exec('pragma max_page_count = 12000');
    await store.put(large);
    expect(await store.get('a')).toEqual(large);
    await store.close();
  });

  test('leaves the time alone that its database waits', async () => {
    const db = new DatabaseSync!(join(folder, `${++made}.db`));
    db.exec('pragma busy_timeout = 70');
    const store = sqliteStore(db);
    await store.put(row('a'));
    expect(db.prepare('pragma busy_timeout').get()).toEqual({ timeout: 70 });
    await store.close();
  });

  test('of a process that is gone is taken over, and one whose jobs were taken over writes nothing more', async () => {
    const path = join(folder, `${++made}.db`);
    const db = new DatabaseSync!(path);
    const store = sqliteStore(db);
    await store.put(row('a'));
    const { identity } = db.prepare('select identity from runpod_rx_owner').get() as { identity: string };
    const dead = JSON.stringify({ ...JSON.parse(identity), pid: 2 ** 22 + 1, token: 'other' });
    db.prepare('update runpod_rx_owner set identity = ?').run(dead);
    const next = sqliteStore(new DatabaseSync!(path));
    expect(await next.get('a')).toEqual(row('a'));
    await expect(store.put(row('b'))).rejects.toThrow(/owned by another process by now/);
    await next.close();
  });
});

describe('S20 a store that cannot work', () => {
  const POOL = { connect: () => Promise.reject(new Error('is not called')) };

  test.each([
    ['fileStore', () => fileStore('')],
    ['sqliteStore', () => sqliteStore('jobs.db' as never)],
    ['postgresStore', () => postgresStore({} as never)],
    ['postgresStore, with another option', () => postgresStore(POOL, { nam: 'a' } as never)],
    ['postgresStore, with a name in the place of the options', () => postgresStore(POOL, 'a' as never)],
  ])('%s', (_, make) => {
    expect(make).toThrow(expect.objectContaining({ code: 'configuration' }));
  });
});
