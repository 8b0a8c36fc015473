import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { startEmulator } from 'runpod-rx/emulator';
import { child } from './child.mjs';
import { payments } from './payments.mjs';

/** How long a job takes on a worker, in milliseconds. */
const EXECUTION = 100;

/** How long the last worker may take, in milliseconds; only one that hangs takes so long. */
const PATIENCE = 300_000;

/**
 * Runs a pipeline in a worker that is killed again and again, and then once to its end. Returns what the emulator's ledger and
 * the stored results say.
 *
 * @param {object} scenario
 * @param {'wait' | 'fail' | 'resubmit'} scenario.mode
 * @param {number} scenario.jobs
 * @param {number} scenario.kills
 * @param {number} scenario.concurrency
 * @param {() => number} scenario.random - from 0 up to 1
 * @param {boolean} [scenario.webhooks] - whether a receiver of webhooks outlives the workers
 * @param {number} [scenario.downtime] - milliseconds after the last kill, in which the service deletes results
 */
export async function play({ mode, jobs, kills, concurrency, random, webhooks = false, downtime = 0 }) {
  const folder = mkdtempSync(join(tmpdir(), 'runpod-rx-crash-'));
  mkdirSync(join(folder, 'results'));
  const emulator = await startEmulator({
    limits: false,
    seed: Math.floor(random() * 2 ** 30),
    endpoints: {
      demo: {
        handler: ({ input }, { delay }) =>
          delay(EXECUTION)
            .toPromise()
            .then(() => ({ of: input.key })),
        workers: { max: concurrency * 2, idleTimeout: Infinity },
        ...(downtime > 0 && { retention: { run: downtime / 2 } }),
      },
    },
    faults: [
      { fault: 'reset-after', on: 'run', probability: 0.02 },
      { fault: 'slow-answer', on: 'run', after: 200 },
    ],
  });
  const receiver = webhooks ? child('receiver.mjs', { folder }) : undefined;
  try {
    const webhookUrl = (await receiver?.next())?.url;
    const start = () => child('worker.mjs', { baseUrl: emulator.baseUrl, folder, mode, jobs, concurrency, webhookUrl });
    const sent = () => emulator.requests().filter(({ operation }) => operation === 'run').length;
    // By what the workers have sent, and not by time, so that every kill comes before the end, however fast the machine is.
    const moments = Array.from({ length: kills }, () => random() * jobs * 0.8).sort((a, b) => a - b);
    let finished;
    let killed = 0;
    for (const moment of moments) {
      const worker = start();
      await worker.next();
      const end = worker.next();
      while (sent() < moment && !finished) finished = await Promise.race([end, pause(5)]);
      finished ??= await Promise.race([end, pause(random() * 200)]);
      if (finished) break;
      await worker.kill();
      killed++;
    }
    if (downtime > 0) await pause(downtime);
    if (!finished) {
      const worker = start();
      await worker.next();
      finished = await Promise.race([worker.next(), pause(PATIENCE)]);
      if (!finished) await worker.kill();
    }
    return { ...report({ emulator, folder, jobs }), ...finished, killed, concurrency };
  } finally {
    await receiver?.kill();
    await emulator.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What the ledger and the stored results say. */
function report({ emulator, folder, jobs }) {
  const keys = Array.from({ length: jobs }, (_, index) => `job-${index}`);
  const results = new Set(readdirSync(join(folder, 'results')));
  const lines = (file) => {
    const path = join(folder, file);
    return existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : [];
  };
  const stored = lines('stored.log');
  return {
    ...payments(emulator),
    missing: keys.filter((key) => !results.has(key)),
    wrong: keys.filter(
      (key) => results.has(key) && JSON.parse(readFileSync(join(folder, 'results', key), 'utf8')).of !== key,
    ),
    storedTwice: stored.length - new Set(stored).size,
    givenAgain: lines('given.log').length - new Set(lines('given.log')).size,
    sendings: lines('sending.log').length,
  };
}
