import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { Redis } from 'ioredis';
import { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { startEmulator } from 'runpod-rx/emulator';
import { gateTo } from '../../scripts/lib/gateTo.mjs';
import { alias } from '../../vitest.config.js';
import { listens } from './listens.js';

const LIMITS = {
  run: { requests: 60, per: 2_000, concurrent: 8 },
  cancel: { requests: 20, per: 2_000, concurrent: 4 },
};

const redisUrl = new URL(process.env.REDIS_URL ?? 'redis://127.0.0.1:6379');
const postgres = { host: process.env.PGHOST ?? '127.0.0.1', port: Number(process.env.PGPORT ?? 5432) };

const engines: Record<string, { host: string; port: number }> = {};
const redis = { host: redisUrl.hostname, port: Number(redisUrl.port || 6379) };
if (await listens(redis)) engines.redis = redis;
else process.stderr.write('no Redis listens: processes with redisBudget are not tested\n');
if (await listens(postgres)) engines.postgres = postgres;
else process.stderr.write('no Postgres listens: processes with postgresBudget are not tested\n');

const name = `processes-${process.pid}-${Date.now()}`;
let made = 0;
let folder: string;
let bundle: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'runpod-rx-budget-'));
  bundle = join(folder, 'worker.cjs');
  await build({
    entryPoints: [fileURLToPath(new URL('worker.ts', import.meta.url))],
    alias: Object.fromEntries(
      alias.map(({ find, replacement }) => [
        typeof find === 'string' ? find : find.source.replace(/[\^$\\]/g, ''),
        replacement,
      ]),
    ),
    outfile: bundle,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    external: ['pg-native'],
    logLevel: 'error',
  });
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
  if (engines.redis) {
    const client = new Redis(redisUrl.href);
    for (let nth = 1; nth <= made; nth++) await client.del(`runpod-rx:budget:${name}-${nth}`);
    await client.quit();
  }
  if (engines.postgres) {
    const pool = new Pool({ ...postgres, user: process.env.PGUSER ?? 'postgres' });
    await pool.query('delete from runpod_rx_budgets where name like $1', [`${name}-%`]).catch(() => undefined);
    await pool.end();
  }
});

/** A service, a way to the engine, and what the processes have done. */
async function scene(engine: string, offlineShare: number) {
  /** How many jobs each process has submitted. */
  const submitted = new Map<string, number>();
  const emulator = await startEmulator({
    limits: LIMITS,
    endpoints: {
      demo: {
        handler: ({ input }) => {
          const by = String(input.by);
          submitted.set(by, (submitted.get(by) ?? 0) + 1);
        },
        workers: 1,
      },
    },
  });
  let refusals = 0;
  let cancels = 0;
  emulator.requests$.subscribe(({ operation, status }) => {
    if (status === 429) refusals++;
    else if (operation === 'cancel' && status === 200) cancels++;
  });
  const way = await gateTo(engines[engine]!);
  const processes: ChildProcess[] = [];
  const budget = `${name}-${++made}`;
  onTestFinished(async () => {
    for (const one of processes) one.kill('SIGKILL');
    way.close();
    await emulator.close();
  });
  return {
    way,
    refusals: () => refusals,
    cancels: () => cancels,
    submittedBy: (by: string) => submitted.get(by) ?? 0,
    start: (by: string): ChildProcess => {
      const options = {
        by,
        engine,
        port: way.port,
        baseUrl: emulator.baseUrl,
        name: budget,
        offlineShare,
        limits: LIMITS,
      };
      const started = spawn(process.execPath, [bundle, JSON.stringify(options)], {
        stdio: ['pipe', 'ignore', 'inherit'],
      });
      processes.push(started);
      return started;
    },
    /** Waits until a process has submitted so many jobs more. */
    more: async (by: string, jobs: number) => {
      const before = submitted.get(by) ?? 0;
      await expect.poll(() => submitted.get(by) ?? 0).toBeGreaterThanOrEqual(before + jobs);
    },
  };
}

test.runIf(Object.keys(engines).length === 0)('without Redis and Postgres, no processes are tested', () => undefined);

describe.each(Object.keys(engines))('S38 processes with a budget in %s', (engine) => {
  test('meet no 429 while some start and one is killed, and all have a part', async () => {
    // A process that is so slow that it loses its lease must not send: with a share, the limits might be exceeded.
    const { start, more, refusals, submittedBy } = await scene(engine, 0);
    const first = start('a');
    await more('a', 40);
    start('b');
    start('c');
    await Promise.all([more('b', 20), more('c', 20)]);
    first.kill('SIGKILL');
    await once(first, 'exit');
    start('d');
    await more('d', 20);
    const before = submittedBy('a');
    await Promise.all([more('b', 20), more('c', 20), more('d', 20)]);
    expect(submittedBy('a')).toBe(before);
    expect(refusals()).toBe(0);
  });
});

describe.each(Object.keys(engines))('S39 processes without %s', (engine) => {
  test('go on, and so do their cancels, and with it again', async () => {
    const { start, more, way, cancels } = await scene(engine, 0.2);
    start('a');
    start('b');
    await Promise.all([more('a', 20), more('b', 20)]);
    way.shut();
    // More than they may send in the time of their leases.
    await Promise.all([more('a', 45), more('b', 45)]);
    const before = cancels();
    await expect.poll(cancels).toBeGreaterThan(before + 2);
    way.open();
    await Promise.all([more('a', 20), more('b', 20)]);
  });

  test('submit and cancel, where they start without it', async () => {
    const { start, more, way, cancels } = await scene(engine, 0.2);
    way.shut();
    start('a');
    await more('a', 20);
    await expect.poll(cancels).toBeGreaterThan(2);
  });
});
