/**
 * Mutation tests of the core: changes the source in one place after the other, and expects a test to fail each time.
 *
 *   npm run mutants                        all areas of scripts/mutants/areas.mjs, one after the other: hours
 *   npm run mutants -- limits stream       only these areas
 *   npm run mutants -- job --file Reducer  only the files of an area that have this text in their path
 *   npm run mutants -- limits --changed    only what the last run of the area cannot answer: after a change to the mutated
 *                                          files or the tests of the area, not to anything else
 *   npm run mutants -- limits --workers 2  so many processes at a time; the default is one for every two processors
 *
 * It prints what survives, and merges a table by file into docs/mutants.md. It fails when tests notice less than 90 % of
 * a file's mutants, or when a row of scripts/mutants/equivalent.mjs is out of date. Stryker's own report, with the source
 * and the tests that noticed each change, is at coverage/mutants/AREA.html.
 *
 * The working tree is not touched: Stryker works in a copy below .stryker-tmp/.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { bootstrap } from './bootstrap.mjs';
import { areas } from './mutants/areas.mjs';
import { equivalent } from './mutants/equivalent.mjs';
import { GOAL, mergeRows, page, readRows, score, summarize } from './mutants/summary.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const slashed = (path) => path.split(sep).join('/');

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    changed: { type: 'boolean', default: false },
    file: { type: 'string', default: '' },
    workers: { type: 'string', default: String(Math.max(1, Math.floor(availableParallelism() / 2))) },
  },
});
const unknown = positionals.find((name) => !Object.hasOwn(areas, name));
if (unknown !== undefined) {
  console.error(`There is no area "${unknown}"; there is ${Object.keys(areas).join(', ')}.`);
  process.exit(2);
}
const workers = Number(values.workers);
if (!Number.isSafeInteger(workers) || workers < 1) {
  console.error(`--workers is ${values.workers}, but must be a whole number.`);
  process.exit(2);
}

bootstrap();
const { Stryker } = await import('@stryker-mutator/core');
const { format, resolveConfig } = await import('prettier');

const sources = readdirSync(join(root, 'src'), { recursive: true }).map((path) => `src/${slashed(path)}`);

/** The files of src/ that a pattern names; `*` stands for anything but a slash. */
function filesOf(pattern) {
  const expression = new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll('*', '[^/]*')}$`);
  return sources.filter((path) => expression.test(path));
}

function isInArea(area, file) {
  return areas[area]?.mutate.flatMap(filesOf).includes(file) ?? false;
}

/** Mutates the files of an area one place at a time, and gives Stryker's results. */
async function mutate(area, files) {
  process.env.MUTANTS_AREA = area;
  // Property tests draw the same each time, or else a mutant would be noticed now and then.
  delete process.env.SEED;
  const results = await new Stryker({
    mutate: files,
    testRunner: 'vitest',
    vitest: { configFile: 'scripts/mutants/vitest.config.mjs', related: false },
    plugins: ['@stryker-mutator/vitest-runner'],
    coverageAnalysis: 'perTest',
    concurrency: workers,
    incremental: true,
    incrementalFile: `.cache/mutants/${area}.json`,
    force: !values.changed,
    // For tests that hang, beside other work on a slow machine. Most endless loops end earlier, as Stryker counts their rounds.
    timeoutMS: 20_000,
    dryRunTimeoutMinutes: 20,
    ignorePatterns: ['/bench', '/coverage', '/dist', '/docs', '/examples', '/.cache', '/*.tgz'],
    tempDirName: `.stryker-tmp/${area}`,
    reporters: ['html', process.stdout.isTTY ? 'progress' : 'progress-append-only'],
    htmlReporter: { fileName: `coverage/mutants/${area}.html` },
    clearTextReporter: { logTests: false },
    allowConsoleColors: Boolean(process.stdout.isTTY),
    logLevel: 'warn',
    allowEmpty: true,
  }).runMutationTest();
  return results
    .map((mutant) => ({ ...mutant, fileName: slashed(relative(root, resolve(root, mutant.fileName))) }))
    .filter(({ fileName }) => files.includes(fileName));
}

process.chdir(root);
const table = join(root, 'docs/mutants.md');
let failed = false;

for (const area of positionals.length > 0 ? positionals : Object.keys(areas)) {
  const files = areas[area].mutate.flatMap(filesOf).filter((path) => path.includes(values.file));
  if (files.length === 0) {
    console.error(`${area}: no file to mutate`);
    failed = true;
    continue;
  }
  const start = performance.now();
  console.log(`${area}: ${files.join(', ')}`);
  const results = await mutate(area, files);
  const { rows, survivors, outdated } = summarize(area, results, equivalent, (file) =>
    readFileSync(join(root, file), 'utf8'),
  );

  for (const { at, line, change, mutator, covered } of survivors)
    console.log(`\n  ${covered ? 'survived' : 'not covered'}: ${at} ${mutator}\n    ${line}\n    ${change}`);
  for (const { file, line, change } of outdated)
    console.log(`\n  not needed in scripts/mutants/equivalent.mjs: ${file}\n    ${line}\n    ${change}`);
  console.log(`\n${area}, ${((performance.now() - start) / 60_000).toFixed(1)} minutes`);
  for (const row of rows) {
    const rate = score(row);
    const { killed, timeout, survived, uncovered } = row;
    console.log(
      `${rate >= GOAL ? '✓' : '✗'} ${row.file}  ${rate.toFixed(1)} %  ${killed + timeout} noticed, ${survived + uncovered} not, ${row.equivalent} equivalent`,
    );
    if (rate < GOAL) failed = true;
  }
  if (outdated.length > 0) failed = true;

  const earlier = existsSync(table) ? readRows(readFileSync(table, 'utf8')) : [];
  const text = page(mergeRows(earlier, rows, isInArea));
  writeFileSync(table, await format(text, { ...(await resolveConfig(table)), filepath: table }));
}
process.exitCode = failed ? 1 : 0;
