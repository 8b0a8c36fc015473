/**
 * `npm test`: checks everything that must hold, also from a fresh clone. Prints one line for each step, the whole output of
 * a step that fails, and at the end the number of tests and checks.
 *
 *   npm test                       all steps
 *   npm test -- --verbose          with the output of every step
 *   npm test -- --tests            only the tests whose result may depend on the version of Node; CI repeats them
 *   npm test -- pollStatus -t S10  Vitest alone, with these arguments
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bootstrap, npm } from './bootstrap.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const args = process.argv.slice(2);
const verbose = args.includes('--verbose');
const onlyTests = args.includes('--tests');
const filter = args.filter((arg) => arg !== '--verbose' && arg !== '--tests');

bootstrap();

const temp = mkdtempSync(join(tmpdir(), 'runpod-rx-test-'));
process.on('exit', () => rmSync(temp, { recursive: true, force: true }));

const tool = (path, ...rest) => [process.execPath, [join(root, 'node_modules', path), ...rest]];

const environment = { ...process.env };
delete environment.FORCE_COLOR;
if (process.stdout.isTTY && !process.env.CI) environment.FORCE_COLOR = '1';
else environment.NO_COLOR = '1';

/** Runs a command to its end. Its output is kept; with `show` it goes to the terminal instead. */
function run([command, commandArgs], { show = false } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, commandArgs, {
      cwd: root,
      stdio: ['ignore', show ? 'inherit' : 'pipe', show ? 'inherit' : 'pipe'],
      shell: process.platform === 'win32' && command === 'npm',
      env: environment,
    });
    let output = '';
    const keep = (data) => (output += data);
    child.stdout?.setEncoding('utf8').on('data', keep);
    child.stderr?.setEncoding('utf8').on('data', keep);
    child.on('error', (error) => resolve({ ok: false, output: String(error) }));
    child.on('close', (code) => resolve({ ok: code === 0, output }));
  });
}

/** The counts in Vitest's JSON report. A file that does not load counts as one failure, as does an error outside of a test. */
function count(report, ok) {
  if (!existsSync(report)) return { passed: 0, failed: 1 };
  const {
    testResults,
    numPassedTests: passed,
    numFailedTests,
    numPendingTests,
    numTodoTests,
  } = JSON.parse(readFileSync(report, 'utf8'));
  const unloaded = testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && !assertionResults.some((test) => test.status === 'failed'),
  ).length;
  const failed = numFailedTests + unloaded;
  return { passed, failed: failed === 0 && !ok ? 1 : failed, skipped: numPendingTests + numTodoTests };
}

async function vitest(name, vitestArgs, options) {
  const report = join(temp, `${name}.json`);
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const { ok, output } = await run(tool('vitest/vitest.mjs', 'run', ...vitestArgs, ...reporters), options);
  return { ok, output, ...count(report, ok) };
}

/** A step that is a single check. */
const gate = (name, command, needs = []) => ({ name, needs, work: () => run(command) });

const tests = (name, projects, needs = []) => ({
  name,
  needs,
  // Two steps run at a time, so each takes half of the processors.
  work: () => vitest(projects[0], [...projects.flatMap((project) => ['--project', project]), '--maxWorkers=50%']),
});

/** Tests whose result does not depend on the version of Node: documentation, lint, properties, pages and what is bundled for them. */
const SAME_EVERYWHERE = [
  'test/docs/**',
  'test/demo/**',
  'test/lint/**',
  'test/dashboard/**',
  'test/examples/**',
  'test/package/examples.test.ts',
  'test/package/platforms.test.ts',
  'test/**/*.property.test.ts',
];
if (onlyTests) environment.TESTS_EXCEPT = SAME_EVERYWHERE.join();

const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const tarball = join(temp, `runpod-rx-${version}.tgz`);

/** Angular's packages are ES modules alone, and so are the entries for it. */
const angular = ['angular', 'angular/testing'];
const attw = '@arethetypeswrong/cli/dist/index.js';

/** Long steps come first, so that the two lanes end at about the same time. */
const steps = onlyTests
  ? [tests('process tests', ['process']), tests('package tests', ['package']), tests('unit tests', ['unit', 'nest11'])]
  : [
      gate('build', [process.execPath, [join(root, 'scripts/build.mjs')]]),
      gate('lint', tool('eslint/bin/eslint.js', '.', '--max-warnings', '0')),
      // The demo runs what is built.
      tests('process tests', ['process'], ['build']),
      tests('package tests', ['package'], ['build']),
      tests('unit tests', ['unit', 'nest11']),
      gate('format', tool('prettier/bin/prettier.cjs', '--check', '--log-level=warn', '.')),
      gate('types', tool('typescript/bin/tsc')),
      gate('types with Nest 11', tool('typescript/bin/tsc', '--project', 'test/nestjs/nest11')),
      gate('sizes', [process.execPath, [join(root, 'scripts/sizes.mjs')]], ['build']),
      gate('platforms', [process.execPath, [join(root, 'scripts/matrix.mjs'), '--quick']], ['build']),
      gate('crash', [process.execPath, [join(root, 'scripts/crash.mjs'), '--quick']], ['build']),
      gate('pack', npm('pack', '--ignore-scripts', '--loglevel=error', '--pack-destination', temp), ['build']),
      gate('publint', tool('publint/src/cli.js', tarball, '--strict'), ['pack']),
      gate('types as packed', tool(attw, '--profile', 'node16', tarball, '--exclude-entrypoints', ...angular), [
        'pack',
      ]),
      gate('types for Angular', tool(attw, '--profile', 'esm-only', tarball, '--entrypoints', ...angular), ['pack']),
      gate(
        'layers',
        tool('dependency-cruiser/bin/dependency-cruise.mjs', '--config', '.dependency-cruiser.mjs', 'src'),
      ),
      gate('unused code', tool('knip/bin/knip.js', '--no-progress')),
      gate('documentation', tool('typedoc/bin/typedoc', '--emit', 'none')),
    ];

/** Runs the steps, two at a time, each after those it needs. */
async function runAll() {
  const results = new Map();
  const waiting = [...steps];
  const running = new Set();
  const width = Math.max(...steps.map(({ name }) => name.length));

  const start = (step) => {
    const startedAt = performance.now();
    const unmet = step.needs.filter((need) => !results.get(need).ok);
    const work = unmet.length > 0 ? { ok: false, output: `not run: needs ${unmet.join(', ')}` } : step.work();
    const end = Promise.resolve(work).then((result) => {
      const { ok, output, passed = ok ? 1 : 0, failed = ok ? 0 : 1, skipped = 0 } = result;
      const seconds = ((performance.now() - startedAt) / 1000).toFixed(1).padStart(6);
      const details =
        passed + failed > 1 || skipped
          ? `  ${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ''}`
          : '';
      results.set(step.name, { ok, passed, failed });
      running.delete(end);
      console.log(`${ok ? '✓' : '✗'} ${step.name.padEnd(width)}  ${ok ? 'ok    ' : 'failed'} ${seconds} s${details}`);
      if (!ok || verbose) console.log(`${output.trimEnd().replace(/^/gm, '    ')}\n`);
    });
    running.add(end);
  };

  while (waiting.length > 0 || running.size > 0) {
    const ready = waiting.findIndex(({ needs }) => needs.every((need) => results.has(need)));
    if (ready >= 0 && running.size < 2) start(...waiting.splice(ready, 1));
    else await Promise.race(running);
  }
  return [...results.values()];
}

async function built() {
  const { ensureBuilt } = await import('./lib/build.mjs');
  ensureBuilt();
}

async function filtered() {
  if (filter.some((arg) => arg.includes('package'))) {
    await built();
    return [await vitest('filtered', filter, { show: true })];
  }
  return [await vitest('filtered', ['--project=!package', ...filter], { show: true })];
}

const startedAt = performance.now();
if (onlyTests) await built();
const results = filter.length > 0 ? await filtered() : await runAll();
const passed = results.reduce((sum, result) => sum + result.passed, 0);
const failed = results.reduce((sum, result) => sum + result.failed, 0);
if (filter.length === 0)
  console.log(`\nNode ${process.versions.node}, ${((performance.now() - startedAt) / 1000).toFixed(0)} s`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 || results.some(({ ok }) => !ok) ? 1 : 0;
