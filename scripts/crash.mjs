/**
 * Kills a process that runs a pipeline of paid jobs, again and again, and asks the emulator's ledger what it cost: `/run` is
 * answered 200 ms late, and one answer in fifty is lost.
 *
 *   npm run crash                       500 jobs and 20 kills in each mode, and a few smaller scenarios: some minutes
 *   npm run crash -- --quick            40 jobs and 3 kills: a part of `npm test`
 *   npm run crash -- --seed 42 wait     one scenario, again
 *   npm run crash -- command --node X   runpod-rx pipeline with a thousand lines, run by this binary of Node
 *   npm run crash -- bullmq pg-boss     the queues: four workers that are killed, one that stalls, shutdowns, cancels, restarts
 */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { bootstrap } from './bootstrap.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    node: { type: 'string', default: process.execPath },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 30)) },
  },
});
bootstrap();
const { ensureBuilt } = await import('./lib/build.mjs');
ensureBuilt();
const { play } = await import('./crash/play.mjs');
const { owners } = await import('./crash/owners.mjs');
const { command } = await import('./crash/command.mjs');
const { queueScenarios } = await import('./crash/queues.mjs');

const size = values.quick ? { jobs: 40, kills: 3, concurrency: 10 } : { jobs: 500, kills: 20, concurrency: 10 };
const small = { jobs: 40, concurrency: 10 };
const sameKeys = (keys, others) => keys.length === others.length && keys.every((key) => others.includes(key));
/** What holds in every mode: nothing is lost that is not listed, and no result is stored twice. */
const always = (seen) => {
  const listed = seen.failed.map(({ key }) => key);
  return {
    'results lost but those listed': seen.missing.filter((key) => !listed.includes(key)).length,
    'results stored twice': seen.storedTwice,
    'results of another input': seen.wrong.length,
    'sent, but not noted before': Math.max(0, seen.runs - seen.sendings),
    'noted, but not sent, beyond the concurrency at each kill': Math.max(
      0,
      seen.sendings - seen.runs - seen.killed * seen.concurrency,
    ),
    'given again, beyond the concurrency at each kill': Math.max(0, seen.givenAgain - seen.killed * seen.concurrency),
    'kills that came too late': size.kills > 0 && seen.kills > seen.killed ? seen.kills - seen.killed : 0,
  };
};

/** Each scenario, and what must be 0 of what it shows. */
const scenarios = {
  wait: {
    options: { ...size, mode: 'wait', webhooks: true },
    faults: (seen) => ({
      'paid twice': seen.doubles,
      // A process that was killed between its note and the wire leaves a row whose job does not exist: no webhook comes.
      'ambiguous, and on the service': seen.ambiguous.filter((key) => seen.taken.includes(key)).length,
      'not given, and not ambiguous': seen.failed.filter(({ key }) => !seen.ambiguous.includes(key)).length,
    }),
  },
  fail: {
    options: { ...size, mode: 'fail' },
    faults: (seen) => ({
      'paid twice': seen.doubles,
      'ambiguous rows that are not listed': sameKeys(
        seen.ambiguous,
        seen.failed.filter(({ code }) => code === 'submission_unknown').map(({ key }) => key),
      )
        ? 0
        : 1,
      'other failures': seen.failed.filter(({ code }) => code !== 'submission_unknown').length,
    }),
  },
  resubmit: {
    options: { ...size, mode: 'resubmit' },
    faults: (seen) => ({
      'paid twice, beyond those in flight and those whose answer was lost': Math.max(
        0,
        seen.doubles - seen.killed * seen.concurrency - seen.lostAnswers,
      ),
      'not given': seen.failed.length,
    }),
  },
  calm: {
    options: { ...small, kills: 0, mode: 'wait', webhooks: true },
    faults: (seen) => ({
      'noted as sending, and not on the wire': seen.sendings - seen.runs,
      'paid twice': seen.doubles,
      'not given': seen.failed.length,
    }),
  },
  downtime: {
    options: { ...small, kills: 1, mode: 'wait', webhooks: true, downtime: 4_000 },
    faults: (seen) => ({
      'paid twice': seen.doubles,
      // As in `wait`, a row may name a job that was never sent: it is listed, and was not there to be deleted.
      'lost, and not said to be gone': sameKeys(
        seen.missing.filter((key) => seen.taken.includes(key) || !seen.ambiguous.includes(key)),
        seen.lost.filter(({ lost }) => lost === 'gone').map(({ key }) => key),
      )
        ? 0
        : 1,
    }),
  },
};

/** Numbers from 0 up to 1 that a seed decides. */
function randomOf(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** How wide the names are. */
const WIDTH = 16;
let failures = 0;
const queues = queueScenarios({ quick: values.quick });
const all = [...Object.keys(scenarios), 'owners', 'command', ...Object.keys(queues)];
/** A name, or what a name begins with, such as `bullmq`. */
const asked = all.filter((name) => positionals.some((part) => name === part || name.startsWith(`${part}:`)));
const names = positionals.length > 0 ? asked : all;
console.log(`--seed ${values.seed}`);
for (const name of names) {
  const startedAt = performance.now();
  const random = randomOf(Number(values.seed));
  let figures;
  let faults;
  if (name === 'owners') {
    figures = await owners({ rounds: values.quick ? 4 : 200 });
    faults = { 'rounds without exactly one owner': figures.wrong };
  } else if (name === 'command') {
    const lines = values.quick ? { lines: 100, kills: 3 } : { lines: 1_000, kills: 20 };
    figures = await command({ ...lines, concurrency: 10, random, node: values.node });
    faults = {
      'lines without a result': figures.missing,
      'lines with two': figures.twice,
      'results of another line': figures.wrong,
      'an exit code': figures.exitCode,
    };
  } else if (queues[name]) {
    const seen = await queues[name].play(random);
    if (!seen) {
      console.log(`- ${name.padEnd(WIDTH)}  its engine is not on this machine: not tested`);
      continue;
    }
    const { submitted, doubles, lostAnswers, cancels, completed } = seen;
    figures = { submitted, doubles, lostAnswers, cancels, completed, failed: seen.failed.length };
    faults = queues[name].faults(seen);
    if (Object.values(faults).some((count) => count !== 0)) console.log(JSON.stringify(seen.failed));
  } else {
    const { options, faults: own } = scenarios[name];
    const seen = await play({ ...options, random });
    if (!seen.done) throw new Error(`the worker of ${name} did not end: ${JSON.stringify(seen.error)}`);
    const { submitted, doubles, killed, sendings, runs, lostAnswers, givenAgain } = seen;
    figures = { submitted, doubles, killed, sendings, runs, lostAnswers, givenAgain, listed: seen.failed.length };
    faults = { ...always({ ...seen, kills: options.kills }), ...own(seen) };
  }
  const found = Object.entries(faults).filter(([, count]) => count !== 0);
  failures += found.length;
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(0);
  console.log(
    `${found.length === 0 ? '✓' : '✗'} ${name.padEnd(WIDTH)} ${seconds.padStart(4)} s  ${JSON.stringify(figures)}`,
  );
  for (const [what, count] of found) console.log(`    ${count} ${what}`);
}
console.log(
  `${fileURLToPath(import.meta.url)
    .split('/')
    .pop()}: ${failures} failures`,
);
// Jobs of the emulator that nobody has cancelled would keep the process alive.
process.exit(failures > 0 ? 1 : 0);
