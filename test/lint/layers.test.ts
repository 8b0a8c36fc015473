import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

interface Row {
  layer: string;
  imports: string[];
  packages: string[];
}
interface Report {
  summary: { violations: { from: string; to: string; rule: { name: string } }[] };
}

const config = join(root, '.dependency-cruiser.mjs');
const { layers } = (await import(config)) as { layers: Row[] };

/** A file that stands for a layer, from a folder's point of view: `src/job/probe.ts` for job, `src/index.ts` for index.ts. */
const target = (layer: string) => `src/${layer.endsWith('.ts') ? layer : `${layer}/target.ts`}`;

/** Everything that a row may allow, and a way to import it: the files of the layers, and packages. */
const importable = [
  ...layers.map(({ layer }) => ({ name: layer, from: target(layer), specifier: `@/${target(layer)}` })),
  ...['protocol/operations.ts', 'protocol/limits.ts'].map((file) => ({
    name: file,
    from: `src/${file}`,
    specifier: `@/src/${file}`,
  })),
  ...['rxjs', '@standard-schema/spec', 'axios', 'undici', 'commander'].map((name) => ({
    name,
    from: `node_modules/${name}/index.d.ts`,
    specifier: name,
  })),
  { name: 'node', from: 'fs/promises', specifier: 'node:fs/promises' },
  { name: 'package.json', from: 'package.json', specifier: '@/package.json' },
];

/** Names of the layers, each with a file that imports the types of everything that can be imported. */
const curious = layers
  .filter(({ layer }) => !layer.endsWith('.ts'))
  .map((row) => ({ ...row, file: `src/${row.layer}/importsAll.ts` }));

const value = (specifier: string) => `import { thing } from '${specifier}';\nexport const mine = thing;\n`;
const type = (specifier: string) => `import type { Thing } from '${specifier}';\nexport type Mine = Thing;\n`;

const leaf = 'export const thing = 1;\nexport type Thing = 1;\n';

const tree: Record<string, string> = {
  'package.json': JSON.stringify({ name: 'a-tree', type: 'module' }),
  'tsconfig.json': JSON.stringify({
    compilerOptions: {
      module: 'ESNext',
      moduleResolution: 'bundler',
      resolveJsonModule: true,
      paths: { '@/*': ['./*'], '#adapter': ['./src/http/transports/adapter.node.ts'] },
    },
  }),
  ...Object.fromEntries(
    importable
      .filter(({ name }) => name !== 'node' && name !== 'package.json')
      .map(({ from }) => [from, from.startsWith('src/') ? leaf : leaf.replaceAll('export', 'export declare')]),
  ),
  ...Object.fromEntries(
    ['rxjs', '@standard-schema/spec', 'axios', 'undici', 'commander'].map((name) => [
      `node_modules/${name}/package.json`,
      JSON.stringify({ name, version: '1.0.0', type: 'module', exports: { '.': { types: './index.d.ts' } } }),
    ]),
  ),
  ...Object.fromEntries(
    curious.map(({ file }) => [
      file,
      importable.map(({ specifier }) => `import type {} from '${specifier}';\n`).join(''),
    ]),
  ),

  'src/operators/value.ts': value('../job/target.js'),
  'src/operators/type.ts': type('../job/target.js'),
  'src/job/one.ts': `export { b } from './two.js';\nexport const a = 1;\n`,
  'src/job/two.ts': `export { c } from './three.js';\nexport const b = 1;\n`,
  'src/job/three.ts': `import type { a } from './one.js';\nexport const c: typeof a = 1;\n`,
  'src/sources/node.ts': value('node:fs'),
  'src/sources/bareNode.ts': value('fs'),
  'src/http/transports/adapter.node.ts': value('undici'),
  'src/http/transports/adapter.fetch.ts': value('undici'),
  'src/http/transports/undiciTransport.ts': type('axios'),
  'src/http/transports/axiosTransport.ts': value('axios') + value('#adapter').replaceAll('mine', 'other'),
  'src/http/transports/phaseOf.ts': value('axios'),
  'src/endpoint/axios.ts': value('axios'),
  'src/runpod.ts': `${type('axios')}${leaf}`,
  'src/newcomer/file.ts': value('rxjs'),
  'src/newcomer/alone.ts': leaf,
  'src/newcomer.ts': value('rxjs'),
  'src/endpoint/upwards.ts': value('../endpoint.js'),
  'src/emulator/ownServer.ts': type('./server/target.js'),
  'src/emulator/model/deep/ownServer.ts': value('../../server/target.js'),
  'src/emulator/errors.ts': type('../errors/target.js'),
  'src/emulator/checks.ts': value('../protocol/target.js'),
  'src/emulator/facts.ts': value('../protocol/limits.js'),
  'src/emulator/server/model.ts': value('../target.js'),
  'src/http/own.ts': value('./target.js'),
  'src/http/transport.ts': value('./transports/target.js'),
};

let folder: string;
let found: { from: string; to: string; rule: string }[];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'runpod-rx-layers-'));
  for (const [path, text] of Object.entries(tree)) {
    mkdirSync(join(folder, dirname(path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  const depcruise = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
  const output = await new Promise<string>((resolve) => {
    // It exits with the number of violations.
    const args = [depcruise, '--config', config, '--output-type', 'json', 'src'];
    execFile(process.execPath, args, { cwd: folder, maxBuffer: 2 ** 27 }, (_, stdout) => resolve(stdout));
  });
  const { summary } = JSON.parse(output) as Report;
  found = summary.violations.map(({ from, to, rule }) => ({ from, to, rule: rule.name }));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The rules that a file breaks. */
const brokenBy = (file: string) =>
  [...new Set(found.filter(({ from }) => from === file).map(({ rule }) => rule))].sort();

test.each([
  ['a value from a layer above', 'src/operators/value.ts', 'operators imports only what it may'],
  ['a type from a layer above', 'src/operators/type.ts', 'operators imports only what it may'],
  ['a Node module in the client', 'src/sources/node.ts', 'sources imports only what it may'],
  ['a Node module without its prefix', 'src/sources/bareNode.ts', 'sources imports only what it may'],
  ['undici in a file that browsers load', 'src/http/transports/adapter.fetch.ts', 'undici stays out of browsers'],
  ['axios outside of its transport', 'src/http/transports/phaseOf.ts', 'axios stays with its transport'],
  [
    'axios in the undici transport, types too',
    'src/http/transports/undiciTransport.ts',
    'the transports over undici and fetch need no axios',
  ],
  ['a folder without a row', 'src/newcomer/file.ts', 'every file belongs to a layer'],
  ['a file without a row', 'src/newcomer.ts', 'every file belongs to a layer'],
  [
    'a file without a row that imports nothing',
    'src/newcomer/alone.ts',
    'every file without imports belongs to a layer',
  ],
  ['endpoint.ts from its folder', 'src/endpoint/upwards.ts', 'endpoint imports only what it may'],
  ["the emulator's server from its model", 'src/emulator/ownServer.ts', 'emulator imports only what it may'],
  [
    "the emulator's server from a deep folder",
    'src/emulator/model/deep/ownServer.ts',
    'emulator imports only what it may',
  ],
  ['errors from the emulator', 'src/emulator/errors.ts', 'emulator imports only what it may'],
  ['more of protocol than facts from the emulator', 'src/emulator/checks.ts', 'emulator imports only what it may'],
  ['a transport from http', 'src/http/transport.ts', 'http imports only what it may'],
])('%s is refused', (_, file, rule) => {
  expect(brokenBy(file)).toEqual([rule]);
});

test('axios above http breaks the row and the rule for axios', () => {
  expect(brokenBy('src/endpoint/axios.ts')).toEqual([
    'axios stays with its transport',
    'endpoint imports only what it may',
  ]);
});

test('a cycle is refused, also one that is closed by a type', () => {
  // A cycle is reported once, at the first of its files.
  expect(brokenBy('src/job/one.ts')).toEqual(['no cycles']);
});

test.each([
  'src/http/transports/adapter.node.ts',
  'src/http/transports/axiosTransport.ts',
  'src/http/own.ts',
  'src/runpod.ts',
  'src/emulator/facts.ts',
  'src/emulator/server/model.ts',
])('%s breaks nothing', (file) => {
  expect(brokenBy(file)).toEqual([]);
});

describe('a row allows what it lists, itself, and nothing else', () => {
  test.each(curious)('$layer', ({ layer, imports, packages, file }) => {
    const allowed = [layer, ...imports, ...packages];
    const covered = (name: string) =>
      allowed.some((row) => name === row || (row === 'protocol' && name.startsWith('protocol/')));
    const refused = found.filter(({ from, rule }) => from === file && rule === `${layer} imports only what it may`);
    expect(refused.map(({ to }) => to).sort()).toEqual(
      importable
        .filter(({ name }) => !covered(name))
        .map(({ from }) => from)
        .sort(),
    );
  });
});
