/** `runpod-rx pipeline` over a file of inputs, ended at random moments in each way, and run again until it is done. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startEmulator } from 'runpod-rx/emulator';

const cli = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

/** How a run is ended, `kill -9` the most often. */
const SIGNALS = ['SIGKILL', 'SIGKILL', 'SIGKILL', 'SIGTERM', 'SIGINT'];

/**
 * @param {{ lines: number, kills: number, concurrency: number, random: () => number, node: string }} options
 *   `node` is the binary that runs the command
 */
export async function command({ lines, kills, concurrency, random, node }) {
  const folder = mkdtempSync(join(tmpdir(), 'runpod-rx-command-'));
  const inputs = join(folder, 'in.jsonl');
  const output = join(folder, 'out.jsonl');
  const emulator = await startEmulator({
    endpoints: {
      demo: {
        handler: async ({ input }) => {
          await pause(20 + random() * 100);
          return { n: input.n };
        },
        workers: { min: 20, max: 20 },
      },
    },
    latency: ({ operation }) => (operation === 'run' ? 100 : 0),
    limits: false,
  });
  // Every tenth line is equal to the one before it.
  const numbers = Array.from({ length: lines }, (_, line) => (line % 10 === 9 ? line - 1 : line));
  writeFileSync(inputs, numbers.map((n) => `${JSON.stringify({ n })}\n`).join(''));
  try {
    let ended = 0;
    for (let kill = 0; kill < kills; kill += 1) {
      const run = start();
      // At least until it has begun, at most as long as some dozens of jobs take.
      await Promise.race([run.ended, run.begun.then(() => pause(random() * 1_500))]);
      if (run.process.exitCode !== null) break;
      run.process.kill(SIGNALS[Math.floor(random() * SIGNALS.length)]);
      await run.ended;
      ended += 1;
    }
    const last = start();
    const exitCode = await last.ended;
    const results = readFileSync(output, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const submitted = emulator.jobs().length;
    return {
      lines,
      ended,
      concurrency,
      exitCode,
      submitted,
      results: results.length,
      missing: numbers.length - new Set(results.map(({ line }) => line)).size,
      twice: results.length - new Set(results.map(({ key }) => key)).size,
      wrong: results.filter(({ line, output: { n } }) => numbers[line - 1] !== n).length,
    };
  } finally {
    await emulator.close();
    rmSync(folder, { recursive: true });
  }

  function start() {
    const before = emulator.requests().length;
    const args = ['pipeline', 'demo', inputs, '-o', output, '-c', String(concurrency), '--ambiguous', 'resubmit'];
    const child = spawn(node, [cli, ...args], {
      env: { ...process.env, RUNPOD_BASE_URL: emulator.baseUrl, RUNPOD_API_KEY: '' },
      stdio: 'ignore',
    });
    const endedWith = new Promise((resolve) => child.once('exit', (code) => resolve(code)));
    const begun = (async () => {
      while (child.exitCode === null && emulator.requests().length === before) await pause(20);
    })();
    return { process: child, ended: endedWith, begun };
  }
}
