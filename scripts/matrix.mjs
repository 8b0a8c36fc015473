/**
 * Packs the package, installs it in each runtime, bundler, test runner and compiler that it is meant for, and runs one
 * program there against an emulator. What is installed is kept in the system's temporary directory, or where
 * RUNPOD_RX_MATRIX_CACHE says.
 *
 *   npm run matrix                     every row
 *   npm run matrix -- bun vite         the rows with one of these texts in their names
 *   npm run matrix -- --quick          the rows that take seconds; `npm test` runs them
 *   npm run matrix -- --json           the table as JSON
 *
 * Exit code 1 where a row fails. A row that cannot run on this machine says why, and is no failure.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureBuilt } from './lib/build.mjs';
import { Cannot } from './matrix/Cannot.mjs';
import { programOptions, startEmulator } from './matrix/emulator.mjs';
import { application, pack } from './matrix/folders.mjs';
import { rows } from './matrix/rows.mjs';

const args = process.argv.slice(2);
const json = args.includes('--json');
const quick = args.includes('--quick');
const names = args.filter((arg) => !arg.startsWith('--')).map((name) => name.toLowerCase());

const chosen = rows.filter(
  (row) => (!quick || row.quick) && (names.length === 0 || names.some((name) => row.name.toLowerCase().includes(name))),
);
if (chosen.length === 0) {
  console.error(
    `No row is called ${names.join(' or ')}. There are:\n${rows.map(({ name }) => `  ${name}`).join('\n')}`,
  );
  process.exit(2);
}

async function result(row, context) {
  const startedAt = performance.now();
  const outcome = await row.work(context).then(
    (note) => ({ outcome: 'works', note }),
    (error) =>
      error instanceof Cannot
        ? { outcome: 'cannot', note: error.message }
        : { outcome: 'fails', note: String(error?.message ?? error).trim() },
  );
  const { name, transport, needs } = row;
  return { name, transport, needs, ...outcome, seconds: Math.round((performance.now() - startedAt) / 100) / 10 };
}

const width = Math.max(...chosen.map(({ name }) => name.length));
const line = ({ name, outcome, note, seconds }) =>
  `${name.padEnd(width)}  ${outcome.padEnd(6)} ${String(seconds.toFixed(1)).padStart(6)} s  ${note.split('\n', 1)[0]}`;

ensureBuilt();
const temp = mkdtempSync(join(tmpdir(), 'runpod-rx-matrix-run-'));
const packed = await pack();
const results = [];
let emulator;
try {
  emulator = await startEmulator(await application(packed, 'application'));
  for (const row of chosen) {
    const done = await result(row, { packed, temp, options: await programOptions(emulator) });
    results.push(done);
    console.error(line(done));
    if (done.outcome === 'fails') console.error(done.note.replace(/^/gm, '    '));
  }
} finally {
  emulator?.stop();
  packed.remove();
  rmSync(temp, { recursive: true, force: true });
}

const count = (outcome) => results.filter((row) => row.outcome === outcome).length;
if (json) console.log(JSON.stringify(results, null, 2));
else
  console.log(
    `\n${results.map(line).join('\n')}\n\n${count('works')} work, ${count('cannot')} cannot, ${count('fails')} fail`,
  );
process.exitCode = count('fails') > 0 ? 1 : 0;
