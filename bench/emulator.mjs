/**
 * Does the emulator keep up? Holds 10 000 jobs, then asks for mixed operations from a process of its own, as fast as the
 * connections allow, for five seconds after one to warm up. At least 2 000 requests a second are asked of it.
 */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { startEmulator } from 'runpod-rx/emulator';

const HELD = 10_000;
const ASKED = 2_000;

/** @returns {Promise<import('./measure.mjs').Measurement>} */
export async function emulator() {
  const held = await startEmulator({
    limits: false,
    endpoints: {
      held: { handler: () => 'never taken', workers: 0 },
      demo: { handler: ({ input }) => ({ echo: input }), workers: 20 },
    },
  });
  try {
    const load = await run(fileURLToPath(new URL('emulator/load.mjs', import.meta.url)), [held.baseUrl, String(HELD)]);
    const { inQueue } = held.state().endpoints.held.jobs;
    return {
      name: 'emulator: it keeps up',
      ok: load.perSecond >= ASKED && load.failed === 0 && inQueue === HELD,
      asked: { perSecond: ASKED, held: HELD },
      ...load,
      held: inQueue,
      memoryMiB: Math.round(process.memoryUsage().rss / 1024 / 1024),
    };
  } finally {
    await held.close();
  }
}

/** What a script sends back from a process of its own. */
function run(script, args) {
  return new Promise((resolve, reject) => {
    const child = fork(script, args);
    child.once('message', resolve);
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`${script} ended with ${code}`)));
  });
}
