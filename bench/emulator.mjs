/**
 * Measures the emulator's throughput. The emulator holds 10 000 waiting jobs, while another process sends mixed operations
 * as fast as its connections allow: one second to warm up, then five seconds measured. The emulator must answer at least
 * 2 000 requests a second.
 */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { startEmulator } from 'runpod-rx/emulator';

const HELD_JOBS = 10_000;
const MIN_REQUESTS_PER_SECOND = 2_000;

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
    const load = await run(fileURLToPath(new URL('emulator/load.mjs', import.meta.url)), [
      held.baseUrl,
      String(HELD_JOBS),
    ]);
    const { inQueue } = held.state().endpoints.held.jobs;
    return {
      name: 'emulator: it keeps up',
      ok: load.perSecond >= MIN_REQUESTS_PER_SECOND && load.failed === 0 && inQueue === HELD_JOBS,
      asked: { perSecond: MIN_REQUESTS_PER_SECOND, held: HELD_JOBS },
      ...load,
      held: inQueue,
      memoryMiB: Math.round(process.memoryUsage().rss / 1024 / 1024),
    };
  } finally {
    await held.close();
  }
}

/** Runs a script in a child process; resolves with the first message that it sends. */
function run(script, args) {
  return new Promise((resolve, reject) => {
    const child = fork(script, args);
    child.once('message', resolve);
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`${script} ended with ${code}`)));
  });
}
