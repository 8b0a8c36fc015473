/**
 * What processes that share a budget use of RunPod's limits, and that they keep them: 1, 4, 8 and 2 processes that submit as
 * fast as they may, for an emulator with the limits of `/run` and `/cancel`. One of eight is busy for a while; the engine is
 * gone for ten seconds; six are killed. Redis and Postgres are those of the tests (`REDIS_URL`, `PGHOST`).
 */
import { fileURLToPath } from 'node:url';
import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { Pool } from 'pg';
import { startEmulator } from 'runpod-rx/emulator';
import { child } from '../scripts/crash/child.mjs';
import { gateTo } from '../scripts/lib/gateTo.mjs';

const WINDOW = 10_000;
const LIMIT = 1_000;
/** The part of a killed process is free after a window and a lease, 12 s; then it has to be used. */
const ASKED = { refusals: 0, usedByAll: 0.9, usedByOne: 0.7, secondsUntilFree: 15 };

const worker = fileURLToPath(new URL('budget/worker.mjs', import.meta.url));

/** @returns {Promise<import('./measure.mjs').Measurement>} */
export async function budget({ quick = false } = {}) {
  const engines = { redis: Number(new URL(process.env.REDIS_URL ?? 'redis://127.0.0.1:6379').port || 6379) };
  if (!quick) engines.postgres = Number(process.env.PGPORT ?? 5432);
  const rows = [];
  for (const [engine, port] of Object.entries(engines))
    for (const rateWindow of quick ? ['sliding'] : ['sliding', 'fixed'])
      rows.push({ engine, rateWindow, ...(await play(engine, port, rateWindow)) });
  return { name: 'budget: processes that share the limits', ok: rows.every(isGood), asked: ASKED, rows };
}

const isGood = (row) =>
  row.refusals === 0 &&
  Math.min(row.one, row.four, row.eight, row.two) >= ASKED.usedByAll &&
  row.oneOfEight >= ASKED.usedByOne &&
  row.gone > 0 &&
  row.cancelsGone > 0 &&
  row.secondsUntilFree <= ASKED.secondsUntilFree;

/** Leaves nothing behind. */
const forget = {
  redis: async (port, name) => {
    const redis = new Redis(port, '127.0.0.1');
    await redis.del(`runpod-rx:budget:${name}`);
    await redis.quit();
  },
  postgres: async (port, name) => {
    const pool = new Pool({ host: '127.0.0.1', port, user: process.env.PGUSER ?? 'postgres' });
    await pool.query('delete from runpod_rx_budgets where name like $1', [`${name}/%`]);
    await pool.end();
  },
};

async function play(engine, target, rateWindow) {
  const emulator = await startEmulator({
    limits: { run: { requests: LIMIT, concurrent: 200 }, cancel: { requests: 100, concurrent: 20 } },
    rateWindow,
    endpoints: { demo: { handler: () => 1, workers: 1 } },
  });
  const way = await gateTo({ port: target });
  const seen = [];
  let now = '';
  const refused = [];
  emulator.requests$.subscribe(({ operation, status }) => {
    if (status === 429) refused.push(`${operation} ${now}`);
    else if (status !== undefined) seen.push({ operation, at: performance.now() });
  });
  const name = `bench-${process.pid}-${Date.now()}`;
  const workers = [];
  const start = async (count) => {
    const options = { baseUrl: emulator.baseUrl, engine, port: way.port, name, concurrency: 100 };
    const started = Array.from({ length: count }, () => child(worker, options));
    await Promise.all(started.map((one) => one.next()));
    workers.push(...started);
  };
  /** What was used of the limit, at each moment from then to now, on average. */
  const used = (from) => {
    const runs = seen.filter(({ operation }) => operation === 'run').map(({ at }) => at);
    const moments = [];
    for (let at = from; at <= performance.now(); at += 100) moments.push(at);
    const sum = moments.reduce((all, to) => all + runs.filter((at) => at > to - WINDOW && at <= to).length, 0);
    return Number((sum / moments.length / LIMIT).toFixed(3));
  };
  /** Lets so much time pass that nothing of before is seen in a window, and says what is used then. */
  const phase = async (name) => {
    now = name;
    await pause(WINDOW * 1.4);
    const from = performance.now();
    await pause(WINDOW * 1.2);
    return used(from);
  };
  const count = (operation, since) => seen.filter((one) => one.operation === operation && one.at > since).length;
  try {
    await start(1);
    const one = await phase('one');
    await start(3);
    const four = await phase('four');
    await start(4);
    const eight = await phase('eight');
    for (const idle of workers.slice(1)) idle.tell('pause');
    const oneOfEight = await phase('one of eight');
    for (const idle of workers.slice(1)) idle.tell('go');
    await pause(WINDOW * 1.2);
    now = 'gone';
    way.shut();
    await pause(WINDOW / 4);
    const since = performance.now();
    await pause((WINDOW * 3) / 4);
    const [gone, cancelsGone] = [count('run', since), count('cancel', since)];
    way.open();
    const back = await phase('back');
    await Promise.all(workers.splice(2).map((killed) => killed.kill()));
    const killedAt = performance.now();
    while (used(performance.now()) < 0.9 || performance.now() < killedAt + WINDOW * 0.9) await pause(100);
    const secondsUntilFree = Number(((performance.now() - killedAt) / 1_000).toFixed(1));
    const two = await phase('two');
    const refusals = refused.length;
    return { refusals, refused, one, four, eight, oneOfEight, gone, cancelsGone, back, secondsUntilFree, two };
  } finally {
    await Promise.all(workers.map((one) => one.kill()));
    way.close();
    await emulator.close();
    await forget[engine](target, name);
  }
}
