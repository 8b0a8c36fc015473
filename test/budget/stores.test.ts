import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { Redis } from 'ioredis';
import { Pool } from 'pg';
import { firstValueFrom, from } from 'rxjs';
import { afterAll, describe, expect, test } from 'vitest';
import { postgresLeases } from '../../src/pg-boss/postgresLeases.js';
import { redisLeases } from '../../src/bullmq/redisLeases.js';
import type { LeaseAnswer, LeaseReport, LeaseStore } from '../../src/budget/LeaseStore.js';
import { seed } from '../support/seed.js';
import { listens } from './listens.js';
import { MemoryLeases } from './memoryLeases.js';

const redisUrl = process.env.REDIS_URL ?? 'redis://127.0.0.1:6379';
const host = process.env.PGHOST ?? '127.0.0.1';
const port = Number(process.env.PGPORT ?? 5432);

/** A store, and what a test does to it behind its back. */
interface Place {
  readonly store: LeaseStore;
  /** Has the store believe that its server was started anew. */
  restart(): Promise<void>;
}

const name = `test-${process.pid}-${Date.now()}`;
const closing: (() => Promise<unknown>)[] = [];
afterAll(async () => {
  for (const close of closing) await close();
});

const places: Record<string, () => Promise<Place>> = {
  // What the properties of fleets are tested with.
  MemoryLeases: async () => {
    const store = new MemoryLeases(() => performance.now());
    await settle(store);
    const restart = () => {
      store.restart(store.snapshot());
      return Promise.resolve();
    };
    return { store, restart };
  },
};
const { hostname, port: redisPort } = new URL(redisUrl);
if (await listens({ host: hostname, port: Number(redisPort || 6379) })) {
  const redis = new Redis(redisUrl);
  const keys: string[] = [];
  closing.push(async () => {
    if (keys.length) await redis.del(keys);
    await redis.quit();
  });
  places.redisBudget = async () => {
    const key = `runpod-rx:${name}:${keys.length}`;
    keys.push(key);
    const restart = () => redis.hset(key, 'run', 'another').then(() => undefined);
    const store = redisLeases(redis, key);
    await settle(store);
    return { store, restart };
  };
} else process.stderr.write('no Redis listens: redisBudget is not tested\n');
if (await listens({ host, port })) {
  const pool = new Pool({ host, port, user: process.env.PGUSER ?? 'postgres', max: 4 });
  let made = 0;
  closing.push(async () => {
    await pool.query('delete from runpod_rx_budgets where name like $1', [`${name}%`]);
    await pool.end();
  });
  places.postgresBudget = async () => {
    const own = `${name}:${++made}`;
    const restart = async () => {
      await pool.query(`update runpod_rx_budgets set state = state || '{"run": "another"}' where name like $1`, [
        `${own}/%`,
      ]);
    };
    const store = postgresLeases(pool, own);
    await settle(store);
    return { store, restart };
  };
} else process.stderr.write('no Postgres listens: postgresBudget is not tested\n');

const part = (requests: number, concurrent = requests) => ({ requests, concurrent });
const NOTHING = part(0);

/** For reports of members that the store is to miss soon. */
const SHORT = { lease: 100 };

/** A report of a member that wants as much as it can get, in a limit of ten, whose time is never over. */
const report = (member: string, turn: number, given: Partial<LeaseReport> = {}): LeaseReport => ({
  member,
  turn,
  held: NOTHING,
  wanted: part(10),
  target: part(10),
  limit: part(10),
  lease: 3_600_000,
  keep: 3_600_000,
  ...given,
});

const tell = (store: LeaseStore, given: LeaseReport, limit = 'demo/run'): Promise<LeaseAnswer> =>
  firstValueFrom(from(store.exchange(limit, given)));

/** Reports again and again until the answer is as it should be. */
async function tellUntil(
  store: LeaseStore,
  given: LeaseReport,
  isFine: (answer: LeaseAnswer) => boolean,
  limit?: string,
): Promise<LeaseAnswer> {
  for (let turn = given.turn; ; turn++) {
    const answer = await tell(store, { ...given, turn }, limit);
    if (isFine(answer)) return answer;
  }
}

/** Lets the time pass in which a store that is new to its server grants nothing. */
async function settle(store: LeaseStore, limit = 'demo/run'): Promise<void> {
  const member = report('first', 1, SHORT);
  await tellUntil(store, member, ({ granted }) => granted.requests > 0, limit);
  await tell(store, { ...member, turn: Number.MAX_SAFE_INTEGER, wanted: NOTHING, target: NOTHING }, limit);
}

describe.each(Object.entries(places))('S38 %s', (_, make) => {
  test('grants what is free, and no more', async () => {
    const { store } = await make();
    expect(await tell(store, report('a', 1, { target: part(7, 2) }))).toMatchObject({ granted: part(7, 2) });
    expect(await tell(store, report('b', 1))).toMatchObject({ granted: part(3, 8) });
    expect(await tell(store, report('c', 1))).toMatchObject({ granted: NOTHING });
  });

  test('tells what each member wants, and the time', async () => {
    const { store } = await make();
    await tell(store, report('a', 1, { wanted: part(7, 2) }));
    const before = await tell(store, report('b', 1, { wanted: part(4) }));
    expect(before.wanted).toEqual({ a: part(7, 2), b: part(4) });
    const after = await tellUntil(store, report('b', 2), ({ now }) => now > before.now);
    expect(after.now - before.now).toBeLessThan(600_000);
  });

  test('believes what a member holds, also where it is too much', async () => {
    const { store } = await make();
    await tell(store, report('a', 1));
    expect(await tell(store, report('b', 1, { held: part(4) }))).toMatchObject({ granted: NOTHING });
    // Together they hold 14 of 10: what one gives back, the other does not get.
    expect(await tell(store, report('a', 2, { held: part(8) }))).toMatchObject({ granted: part(6) });
    expect(await tell(store, report('b', 2, { held: part(1) }))).toMatchObject({ granted: part(2) });
  });

  test('goes by the highest limit that a member knows of', async () => {
    const { store } = await make();
    await tell(store, report('a', 1, { limit: part(30, 12), target: part(25, 10), wanted: part(30) }));
    expect(await tell(store, report('b', 1))).toMatchObject({ limit: part(30, 12), granted: part(5, 2) });
    await tell(store, report('a', 2, { wanted: NOTHING, target: NOTHING }));
    expect(await tell(store, report('b', 2))).toMatchObject({ limit: part(10), granted: part(10) });
  });

  test('has each limit for itself', async () => {
    const { store } = await make();
    await settle(store, 'demo/status');
    await tell(store, report('a', 1), 'demo/run');
    expect(await tell(store, report('b', 1), 'demo/status')).toMatchObject({ granted: part(10) });
  });

  test('remembers who has left for what still counts, and no longer', async () => {
    const { store } = await make();
    await tell(store, report('a', 1));
    await tell(store, report('a', 2, { held: part(6, 0), wanted: NOTHING, target: NOTHING }));
    expect(await tell(store, report('b', 1))).toMatchObject({ granted: part(4, 10) });
    const last = await tell(store, report('b', 2, { held: part(4), wanted: NOTHING, target: NOTHING }));
    expect(last.wanted).toEqual({ a: NOTHING, b: NOTHING });
    await tell(store, report('a', 3, { wanted: NOTHING, target: NOTHING }));
    await tell(store, report('b', 3, { wanted: NOTHING, target: NOTHING }));
    expect((await tell(store, report('c', 1))).wanted).toEqual({ c: part(10) });
  });

  test('forgets who reports no more', async () => {
    const { store } = await make();
    await tell(store, report('killed', 1, { keep: 1 }));
    const { wanted } = await tellUntil(store, report('b', 1), ({ granted }) => granted.requests === 10);
    expect(wanted).toEqual({ b: part(10) });
  });

  test('ignores a report that comes after a later one', async () => {
    const { store } = await make();
    await tell(store, report('a', 2, { target: part(9) }));
    expect(await tell(store, report('a', 1, { wanted: part(1), target: part(1) }))).toMatchObject({
      wanted: { a: part(10) },
    });
    expect(await tell(store, report('b', 1))).toMatchObject({ granted: part(1) });
  });

  test('grants nothing to a newcomer for a lease after its server was started', async () => {
    const { store, restart } = await make();
    await tell(store, report('a', 1, { target: part(2), wanted: NOTHING }));
    await restart();
    expect(await tell(store, report('b', 1))).toMatchObject({ granted: NOTHING });
    expect(await tell(store, report('a', 2, { held: part(2) }))).toMatchObject({ granted: part(2) });
    expect(await tell(store, report('b', 2, { held: part(3) }))).toMatchObject({ granted: part(3) });
    // Others of a shorter lease go by theirs.
    await tellUntil(store, report('b', 3, { ...SHORT, held: part(3) }), ({ granted }) => granted.requests === 8);
  });

  test('keeps what silent members hold, until all had the time to report', async () => {
    const { store } = await make();
    const silent = await tell(store, report('silent', 1, { ...SHORT, target: part(6), keep: 1 }));
    // Until longer than a lease has passed, without a word about this limit.
    await tellUntil(store, report('clock', 1), ({ now }) => now > silent.now + 110, 'demo/clock');
    // As after an outage, in which the time of the silent member was over.
    const after = await tell(store, report('b', 1, SHORT));
    expect(after).toMatchObject({ wanted: { silent: part(10) }, granted: NOTHING });
    await tellUntil(store, report('b', 2, SHORT), ({ granted }) => granted.requests === 10);
  });

  test('grants the same as every other store, whatever is reported', async () => {
    const small = fc.record({ requests: fc.nat(6), concurrent: fc.nat(6) });
    const told = fc.record({
      member: fc.constantFrom('a', 'b', 'c'),
      held: small,
      wanted: small,
      target: small,
      limit: small,
      late: fc.nat(9),
    });
    let cases = 0;
    const { store } = await make();
    await fc.assert(
      fc.asyncProperty(fc.array(told, { maxLength: 12 }), async (reports) => {
        const limit = `demo/${++cases}`;
        const memory = new MemoryLeases(() => cases);
        const first = report('first', 1, { lease: 0, wanted: NOTHING, target: NOTHING });
        memory.exchange(limit, first);
        await tell(store, first, limit);
        for (const [turn, { late, ...given }] of reports.entries()) {
          const one = report(given.member, late ? turn + 1 : 1, given);
          const [expected] = memory.exchange(limit, { ...one, lease: 0 });
          expect(await tell(store, one, limit)).toEqual({ ...expected, now: expect.any(Number) });
        }
      }),
      { seed, numRuns: 40 },
    );
  });
});

describe.skipIf(!places.postgresBudget)('S39 postgresBudget, where the database comes back without its data', () => {
  /** Postgres, with a schema of its own. */
  const emptyPlace = async () => {
    const schema = `runpod_rx_test_${randomUUID().replaceAll('-', '')}`;
    const pool = new Pool({ host, port, user: process.env.PGUSER ?? 'postgres', options: `-c search_path=${schema}` });
    closing.push(async () => {
      await pool.query(`drop schema ${schema} cascade`);
      await pool.end();
    });
    await pool.query(`create schema ${schema}`);
    return { pool, store: postgresLeases(pool, 'default') };
  };

  test('makes its table anew', async () => {
    const { pool, store } = await emptyPlace();
    await settle(store);
    await pool.query('drop table runpod_rx_budgets');
    await expect(tell(store, report('a', 1))).rejects.toThrow('does not exist');
    await settle(store);
  });

  test('grants what members hold, for the time of a lease after its start', async () => {
    const { store } = await emptyPlace();
    const sinceItsStart = { lease: 1e12 };
    expect(await tell(store, report('a', 1, { held: part(4), ...sinceItsStart }))).toMatchObject({ granted: part(4) });
    expect(await tell(store, report('b', 1, sinceItsStart))).toMatchObject({ granted: NOTHING });
  });
});
