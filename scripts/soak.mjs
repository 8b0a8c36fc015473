/**
 * Plays random histories of jobs, many more than the thousand that `npm test` plays.
 *
 *   npm run soak                     100 000 histories
 *   npm run soak -- --runs 5000      this many histories
 *   npm run soak -- --seed 42        the first chunk of histories has this seed; each further chunk has the next one
 *   npm run soak -- --chunk 2000     this many histories in a chunk; a chunk is played by a process of its own
 *
 * Ctrl-C ends the run with a summary. A history that fails is printed with the command that repeats it, and the run goes on.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { bootstrap } from './bootstrap.mjs';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '100000' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 30)) },
    chunk: { type: 'string', default: '5000' },
  },
});
const [runs, seed, chunk] = ['runs', 'seed', 'chunk'].map((name) => {
  const number = Number(values[name]);
  if (Number.isSafeInteger(number) && number >= (name === 'seed' ? 0 : 1)) return number;
  console.error(`--${name} is ${values[name]}, but must be a whole number`);
  process.exit(2);
});

bootstrap();

const root = fileURLToPath(new URL('..', import.meta.url));
const temp = mkdtempSync(join(tmpdir(), 'runpod-rx-soak-'));
process.on('exit', () => rmSync(temp, { recursive: true, force: true }));

const total = {};
/** How often each kind is to be met in a thousand histories. */
let least = {};
const failures = [];
const children = new Set();
let played = 0;
let stopped = false;

function stop() {
  if (stopped) process.exit(130);
  stopped = true;
  for (const child of children) child.kill();
}
// A terminal sends the signal to the children as well.
process.on('SIGINT', stop);
process.on('SIGTERM', stop);

/** Plays one chunk in a process of its own. */
async function play(nth, count) {
  const report = join(temp, `${nth}.json`);
  const child = spawn(
    process.execPath,
    [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--project', 'unit', 'test/job/history.property.test.ts'],
    {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        NO_COLOR: '1',
        HISTORY_PATH: '',
        HISTORY_RUNS: String(count),
        SEED: String(seed + nth),
        HISTORY_REPORT: report,
      },
    },
  );
  children.add(child);
  let output = '';
  child.stdout.on('data', (data) => (output += data));
  child.stderr.on('data', (data) => (output += data));
  const code = await new Promise((done) => child.on('close', done));
  children.delete(child);
  if (existsSync(report)) {
    const found = JSON.parse(readFileSync(report, 'utf8'));
    played += found.played;
    least = found.least;
    for (const [kind, times] of Object.entries(found.coverage)) total[kind] = (total[kind] ?? 0) + times;
  }
  if (stopped) return;
  if (code !== 0) {
    const path = /path: "([\d:]+)"/.exec(output)?.[1];
    const repeat = [
      `SEED=${seed + nth}`,
      `HISTORY_RUNS=${count}`,
      ...(path ? [`HISTORY_PATH=${path}`] : []),
      'npm test -- test/job/history',
    ].join(' ');
    failures.push(repeat);
    console.log(`\n${output.trimEnd()}\n\n✗ again by: ${repeat}\n`);
  }
  const seconds = Math.round(performance.now() / 1000);
  console.log(`${played} of ${runs} histories, ${failures.length} failures, ${seconds} s`);
}

console.log(`${runs} histories, --seed ${seed}`);
const chunks = Array.from({ length: Math.ceil(runs / chunk) }, (_, nth) => Math.min(chunk, runs - nth * chunk));
let next = 0;
await Promise.all(
  Array.from({ length: Math.min(chunks.length, availableParallelism()) }, async () => {
    while (next < chunks.length && !stopped) {
      const nth = next++;
      await play(nth, chunks[nth]);
    }
  }),
);

const width = Math.max(0, ...Object.keys(total).map((kind) => kind.length));
for (const [kind, times] of Object.entries(total)) console.log(`  ${kind.padEnd(width)}  ${times}`);
const rare = stopped
  ? []
  : Object.entries(least).filter(([kind, each]) => total[kind] < Math.floor((each * played) / 1000));
for (const [kind, each] of rare)
  failures.push(`${kind}: ${total[kind]} of ${played}, but at least ${each} of 1000 are to be`);
console.log(`${played} histories played${stopped ? ', then stopped' : ''}, ${failures.length} failures`);
for (const repeat of failures) console.log(`  ${repeat}`);
process.exitCode = failures.length > 0 ? 1 : stopped ? 130 : 0;
