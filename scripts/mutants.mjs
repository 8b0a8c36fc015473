/**
 * Changes the source in one place, runs the test that should notice, and expects it to fail.
 *
 *   npm run mutants                  all rows of scripts/mutants.table.mjs
 *   npm run mutants -- S7 poll       only rows whose rule is S7, or whose file has "poll" in its path
 *   npm run mutants -- --check       only whether each row still finds its text, without a run of tests
 *   npm run mutants -- --json        the result as JSON
 *   npm run mutants -- --workers 1   so many rows at a time, 2 if nothing is said
 *   --table FILE --root FOLDER       another table, for another tree
 *
 * The working tree is not touched: each worker has a copy of its own. A mutant is killed when a test ran and failed; one
 * that does not load or leaves a file without tests has proved nothing, and counts as broken. A rule without a row is as
 * bad as a mutant that survives, unless the table says why it has none.
 */
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import ts from 'typescript';
import { faultOf, faultsOf, gapsOf } from './lib/mutantRows.mjs';

const { values: options, positionals: filters } = parseArgs({
  allowPositionals: true,
  options: {
    check: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    root: { type: 'string', default: fileURLToPath(new URL('..', import.meta.url)) },
    table: { type: 'string', default: fileURLToPath(new URL('mutants.table.mjs', import.meta.url)) },
    workers: { type: 'string', default: '2' },
  },
});
const root = resolve(options.root);
const table = await import(pathToFileURL(resolve(options.table)).href);
const rows = table.mutants.filter(
  ({ rule, file }) => filters.length === 0 || filters.some((filter) => rule === filter || file.includes(filter)),
);

const lacking = options.check
  ? faultsOf(root, { ...table, mutants: rows })
  : [...gapsOf(table), ...(rows.length ? [] : ['no row is to be run'])];
if (lacking.length > 0) {
  console.error(`The table does not do:\n${lacking.map((line) => `  ${line}`).join('\n')}`);
  process.exit(1);
}
if (options.check) {
  console.log(`${rows.length} rows stand`);
  process.exit();
}

/** What the tests need; not the history, what is built, or what is installed. */
const parts = [
  ...['src', 'test', 'docs', 'examples', 'scripts', 'README.md', 'CHANGELOG.md'],
  ...['package.json', 'tsconfig.json', 'vitest.config.ts', 'eslint.config.js'],
];

const temp = mkdtempSync(join(tmpdir(), 'runpod-rx-mutants-'));
process.on('exit', () => rmSync(temp, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(130));

function copyTree(name) {
  const folder = join(temp, name);
  for (const part of parts)
    if (existsSync(join(root, part))) cpSync(join(root, part), join(folder, part), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'), 'junction');
  return folder;
}

/** Runs the tests of files, of those with one of the names, and says what each did, or that Vitest gave no report. */
async function vitest(folder, files, names = []) {
  const report = join(folder, `report-${Math.random().toString(36).slice(2)}.json`);
  const args = ['run', '--project=!package', ...files, '--reporter=json', `--outputFile.json=${report}`, '--no-color'];
  // A mutant may well make tests hang.
  args.push('--testTimeout=5000');
  if (names.length)
    args.push('--testNamePattern', names.map((name) => name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|'));
  // One row at a time runs in each copy; a test that would wait for ever is given up.
  const child = spawn(process.execPath, [join(folder, 'node_modules/vitest/vitest.mjs'), ...args], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own: a mutant that never ends spins in one of Vitest's own children, which would outlive it.
    detached: true,
  });
  let hung = false;
  const watchdog = setTimeout(() => {
    hung = true;
    process.kill(-child.pid, 'SIGKILL');
  }, 120_000);
  let output = '';
  child.stdout.on('data', (data) => (output += data));
  child.stderr.on('data', (data) => (output += data));
  await new Promise((done) => child.on('close', done));
  clearTimeout(watchdog);
  if (!existsSync(report)) return { hung, output, tests: [], unloaded: [] };
  const { testResults } = JSON.parse(readFileSync(report, 'utf8'));
  return {
    output,
    tests: testResults.flatMap(({ assertionResults }) => assertionResults),
    unloaded: testResults
      .filter(
        ({ status, assertionResults }) =>
          status === 'failed' && assertionResults.every((test) => test.status !== 'failed'),
      )
      .map(({ name: file, message }) => `${basename(file)}: ${message}`),
  };
}

const failedTests = ({ tests }) => tests.filter(({ status }) => status === 'failed');
const ranTests = ({ tests }) => tests.filter(({ status }) => status === 'failed' || status === 'passed');
const firstLine = (text) => text.trim().split('\n')[0];

/** The compiler, with one file changed at a time. */
function compiler() {
  const config = join(root, 'tsconfig.json');
  const { options: compilerOptions, fileNames } = ts.parseJsonConfigFileContent(
    existsSync(config) ? ts.readConfigFile(config, ts.sys.readFile).config : {},
    ts.sys,
    root,
  );
  const changed = { path: '', text: '', version: 0 };
  const service = ts.createLanguageService({
    getCompilationSettings: () => compilerOptions,
    getScriptFileNames: () => fileNames,
    getScriptVersion: (path) => (path === changed.path ? `changed ${changed.version}` : '0'),
    getScriptSnapshot: (path) => {
      const text = path === changed.path ? changed.text : ts.sys.readFile(path);
      return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text);
    },
    getCurrentDirectory: () => root,
    getDefaultLibFileName: ts.getDefaultLibFilePath,
    fileExists: ts.sys.fileExists,
    readFile: ts.sys.readFile,
    readDirectory: ts.sys.readDirectory,
    directoryExists: ts.sys.directoryExists,
    getDirectories: ts.sys.getDirectories,
  });
  /** What the compiler says to a row's change, in the file itself and in the test. */
  return ({ file, find, replace, test }) => {
    const path = ts.sys.resolvePath(join(root, file));
    const text = readFileSync(path, 'utf8').replace(find, () => replace);
    Object.assign(changed, { path, text, version: changed.version + 1 });
    const [first] = [path, ts.sys.resolvePath(join(root, test))].flatMap((name) => [
      ...service.getSyntacticDiagnostics(name),
      ...service.getSemanticDiagnostics(name),
    ]);
    return first && `it does not compile: ${ts.flattenDiagnosticMessageText(first.messageText, ' ')}`;
  };
}

async function tryRow(folder, row) {
  const path = join(folder, row.file);
  const before = readFileSync(path, 'utf8');
  writeFileSync(
    path,
    before.replace(row.find, () => row.replace),
  );
  try {
    const result = await vitest(folder, [row.test], row.name ? [row.name] : []);
    if (result.hung) return { verdict: 'killed', why: 'the test never ended' };
    if (result.unloaded.length > 0) return { verdict: 'broken', why: firstLine(result.unloaded[0]) };
    const [first] = failedTests(result);
    if (first) return { verdict: 'killed', why: `${first.fullName}: ${firstLine(first.failureMessages[0] ?? '')}` };
    if (ranTests(result).length > 0) return { verdict: 'survived', why: 'the test passes' };
    return { verdict: 'broken', why: firstLine(result.output) || 'no test ran' };
  } finally {
    writeFileSync(path, before);
  }
}

/** All named tests must pass as the source is, and each name must be a test's: else a failure would prove nothing. */
async function checkUnchanged(folder, sound) {
  const files = [...new Set(sound.map(({ test }) => test))];
  if (files.length === 0) return [];
  const wanted = sound.map(({ name }) => name);
  const result = await vitest(folder, files, wanted.every(Boolean) ? [...new Set(wanted)] : []);
  const names = ranTests(result).map(({ fullName }) => fullName);
  return [
    ...(names.length === 0 ? [firstLine(result.output) || 'no test ran'] : []),
    ...result.unloaded,
    ...failedTests(result).map(({ fullName }) => `fails without any change: ${fullName}`),
    ...sound
      .filter(({ name }) => name && !names.some((full) => full.includes(name)))
      .map(({ test, name }) => `${test} has no test named "${name}"`),
  ];
}

const compile = compiler();
const results = rows.map((row) => {
  const fault = faultOf(root, row) ?? compile(row);
  return { row, ...(fault && { verdict: 'broken', why: fault }) };
});
const sound = results.filter(({ verdict }) => !verdict);
const workers = Math.max(1, Math.min(Number(options.workers), availableParallelism(), sound.length));
const folders = Array.from({ length: workers }, (_, index) => copyTree(String(index)));
const faults = await checkUnchanged(
  folders[0],
  sound.map(({ row }) => row),
);
if (faults.length > 0) {
  console.error(`The tests must pass before a change is tried:\n${faults.map((fault) => `  ${fault}`).join('\n')}`);
  process.exit(1);
}
const queue = [...sound];
await Promise.all(
  folders.map(async (folder) => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      Object.assign(next, await tryRow(folder, next.row));
      if (!options.json && process.stderr.isTTY)
        process.stderr.write(`\r${sound.length - queue.length}/${sound.length} `);
    }
  }),
);
if (!options.json && process.stderr.isTTY) process.stderr.write('\r          \r');

const bad = results.filter(({ verdict }) => verdict !== 'killed');
if (options.json) {
  console.log(
    JSON.stringify(
      results.map(({ row, verdict, why }) => ({ ...row, verdict, why })),
      null,
      2,
    ),
  );
} else {
  const oneLine = (text) => text.replace(/\s+/g, ' ').trim() || '(nothing)';
  const cells = results.map(({ row, verdict }) => [
    verdict,
    row.rule,
    row.file,
    `${oneLine(row.find)} → ${oneLine(row.replace)}`.slice(0, 60),
    row.test + (row.name ? ` › ${row.name}` : ''),
  ]);
  const lines = [['result', 'rule', 'file', 'change', 'test'], ...cells];
  const widths = lines[0].map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  for (const line of lines)
    console.log(
      line
        .map((cell, column) => cell.padEnd(widths[column]))
        .join('  ')
        .trimEnd(),
    );
  for (const { row, verdict, why } of bad) console.log(`\n✗ ${row.rule} ${row.file} ${verdict}: ${why}`);
  for (const [rule, reason] of Object.entries(table.notBuilt ?? {})) console.log(`\n${rule} has no row: ${reason}`);
  console.log(
    `\n${results.length - bad.length} killed, ${bad.length} not, in ${Math.round(performance.now() / 1000)} s`,
  );
}
process.exitCode = bad.length > 0 ? 1 : 0;
