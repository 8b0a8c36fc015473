/**
 * What a measurement comes to: plain data, and whether it is what was asked.
 * @typedef {{ name: string, ok: boolean } & Record<string, unknown>} Measurement
 */
import { emulator } from './emulator.mjs';

/** Every measurement by name. */
const measurements = { emulator };

/** Runs those of the given names, or all, one after the other; says whether all came out as asked. */
export async function measure(args) {
  const names = args.filter((arg) => !arg.startsWith('-'));
  const unknown = names.find((name) => !Object.hasOwn(measurements, name));
  if (unknown !== undefined) {
    console.error(`There is no "${unknown}"; there is ${Object.keys(measurements).join(', ')}.`);
    return false;
  }
  const results = {};
  for (const name of names.length > 0 ? names : Object.keys(measurements)) {
    const { name: title, ok, ...figures } = await measurements[name]();
    results[name] = { ok, ...figures };
    console.log(`${ok ? 'ok     ' : 'FAILED '} ${title}`);
    for (const [figure, value] of Object.entries(figures))
      console.log(`  ${figure.padEnd(12)} ${JSON.stringify(value)}`);
  }
  const ok = Object.values(results).every((result) => result.ok);
  if (args.includes('--json')) console.log(JSON.stringify({ ok, results }));
  return ok;
}
