/**
 * The result of a measurement: plain data, and whether it is as good as asked.
 * @typedef {{ name: string, ok: boolean } & Record<string, unknown>} Measurement
 */
import { budget } from './budget.mjs';
import { dashboard } from './dashboard.mjs';
import { emulator } from './emulator.mjs';
import { events } from './events.mjs';
import { fleet } from './fleet.mjs';
import { observability } from './observability.mjs';
import { overhead } from './overhead.mjs';
import { parsers } from './parsers.mjs';
import { proxy } from './proxy.mjs';
import { size } from './size.mjs';
import { stream } from './stream.mjs';
import { growth } from './growth.mjs';
import { journal } from './journal.mjs';
import { table } from './lib/table.mjs';
import { memory } from './memory.mjs';

/** Every measurement by name. */
const measurements = {
  fleet,
  growth,
  overhead,
  memory,
  stream,
  size,
  parsers,
  emulator,
  dashboard,
  proxy,
  events,
  journal,
  budget,
  observability,
};

/**
 * Runs the measurements that are named, or all, one after the other, and returns whether all are as good as asked.
 * `--quick` measures less, `--own` leaves out the other clients, `--json` ends with all figures as one line of JSON.
 */
export async function measure(args) {
  const names = args.filter((arg) => !arg.startsWith('-'));
  const unknown = names.find((name) => !Object.hasOwn(measurements, name));
  if (unknown !== undefined) {
    console.error(`There is no "${unknown}"; there is ${Object.keys(measurements).join(', ')}.`);
    return false;
  }
  const options = { quick: args.includes('--quick'), own: args.includes('--own') };
  const results = {};
  for (const name of names.length > 0 ? names : Object.keys(measurements)) {
    const { name: title, ok, ...figures } = await measurements[name](options);
    results[name] = { ok, ...figures };
    console.log(`${ok ? 'ok     ' : 'FAILED '} ${title}`);
    for (const [figure, value] of Object.entries(figures)) {
      const lines = isTable(value) ? ['', ...table(value)] : [JSON.stringify(value)];
      console.log(`  ${figure.padEnd(12)} ${lines.join('\n    ')}`);
    }
  }
  const ok = Object.values(results).every((result) => result.ok);
  if (args.includes('--json')) console.log(JSON.stringify({ ok, results }));
  return ok;
}

function isTable(value) {
  return Array.isArray(value) && value.length > 0 && value.every((row) => typeof row === 'object' && row !== null);
}
