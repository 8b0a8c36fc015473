import { execFile } from 'node:child_process';
import { existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { install, typescript, type Consumer } from './consumer.js';

let consumer: Consumer;

beforeAll(async () => {
  consumer = await install();
});

afterAll(() => {
  rmSync(consumer.folder, { recursive: true, force: true });
});

test('the tarball holds what is built and what is read, nothing else', () => {
  expect(consumer.files).toContain('dist/index.js');
  const others = consumer.files.filter((path) => !path.startsWith('dist/'));
  expect(others.sort()).toEqual(['LICENSE', 'README.md', 'docs/demo.svg', 'package.json']);
  expect(consumer.files.filter((path) => /\.test\.|(^|\/)(src|test)\//.test(path))).toEqual([]);
});

test('it is at most 590 KB to download', () => {
  expect(consumer.bytes).toBeLessThanOrEqual(590_000);
});

test('each relative link of README.md leads to a file of the package', () => {
  const readme = readFileSync(join(consumer.folder, 'node_modules/runpod-rx/README.md'), 'utf8');
  const links = [...readme.matchAll(/\]\((?!https?:|#)([^)#]+)[^)]*\)/g)].map(([, path]) => path!);
  expect(links).toContain('docs/demo.svg');
  for (const path of links) expect(consumer.files).toContain(path);
});

test('it brings axios, undici and commander along, and takes the RxJS that is there', () => {
  const nested = join(consumer.folder, 'node_modules/runpod-rx/node_modules');
  expect(existsSync(nested)).toBe(false);
  for (const name of ['axios', 'commander', 'undici', 'rxjs'])
    expect(statSync(join(consumer.folder, 'node_modules', name)).isDirectory()).toBe(true);
});

describe.each([
  ['ES modules', 'module.mjs'],
  ['CommonJS', 'commonjs.cjs'],
])('from %s', (_, script) => {
  let result: Record<string, unknown>;

  beforeAll(async () => {
    result = (await consumer.node(script)) as Record<string, unknown>;
  });

  test('every entry point loads and has exports', () => {
    const entries = result.entries as Record<string, number>;
    expect(Object.keys(entries)).toEqual([
      'main',
      'operators',
      'testing',
      'emulator',
      'undici',
      'events',
      'fetching',
      'server',
      'durable',
      // Their queues are not installed here.
      'bullmq',
      'pgBoss',
    ]);
    for (const count of Object.values(entries)) expect(count).toBeGreaterThan(0);
  });

  test('a client sends by a transport of its own', () => {
    expect(result.run).toBe('job');
  });

  test('entry points share one copy of each class', () => {
    expect(result.shared).toBe(true);
  });

  test('S22 instanceof holds for errors of this copy and of the other format’s', () => {
    expect(result).toMatchObject({
      copies: true,
      own: [true, true, true],
      other: [true, true, true],
      unrelated: [false, false],
    });
  });
});

test('it offers the command', async () => {
  const { version } = JSON.parse(
    readFileSync(join(consumer.folder, 'node_modules/runpod-rx/package.json'), 'utf8'),
  ) as { version: string };
  const command = join(consumer.folder, 'node_modules/.bin/runpod-rx');
  const { stdout } = await promisify(execFile)(command, ['--version'], { cwd: consumer.folder });
  expect(stdout).toBe(`${version}\n`);
});

test('the default transport, fetchTransport and undiciTransport reach a server', async () => {
  expect(await consumer.node('http.mjs')).toEqual(['HELLO', 'HELLO', 'HELLO']);
});

describe.each([
  ['oldest', 'nodenext'],
  ['oldest', 'bundler'],
  ['newest', 'nodenext'],
  ['newest', 'bundler'],
] as const)('types with the %s TypeScript', (version, resolution) => {
  test(`${typescript[version]}, moduleResolution ${resolution}`, async () => {
    expect(await consumer.tsc(version, `tsconfig.${resolution}.json`)).toEqual({ code: 0, output: '' });
  });
});
