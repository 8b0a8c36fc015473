import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const source = (path: string) => fileURLToPath(new URL(`./src/${path}`, import.meta.url));

/** Tests and documentation import the package by its name and get the source. */
export const alias = [
  { find: '#adapter', replacement: source('http/transports/adapter.node.ts') },
  { find: '#undici', replacement: 'undici' },
  { find: '#dashboard', replacement: fileURLToPath(new URL('./test/support/pageFiles.ts', import.meta.url)) },
  { find: /^runpod-rx$/, replacement: source('index.ts') },
  { find: /^runpod-rx\/undici$/, replacement: source('undici.ts') },
  { find: /^runpod-rx\/fetch$/, replacement: source('fetch.ts') },
  { find: /^runpod-rx\/bullmq$/, replacement: source('bullmq/index.ts') },
  { find: /^runpod-rx\/batch$/, replacement: source('batch/index.ts') },
  { find: /^runpod-rx\/durable$/, replacement: source('durable/index.ts') },
  { find: /^runpod-rx\/events$/, replacement: source('events/index.ts') },
  { find: /^runpod-rx\/nestjs$/, replacement: source('nestjs/index.ts') },
  { find: /^runpod-rx\/otel$/, replacement: source('otel/index.ts') },
  { find: /^runpod-rx\/pg-boss$/, replacement: source('pg-boss/index.ts') },
  { find: /^runpod-rx\/server$/, replacement: source('server/index.ts') },
  { find: /^runpod-rx\/operators$/, replacement: source('operators/index.ts') },
  { find: /^runpod-rx\/angular$/, replacement: source('angular/index.ts') },
  { find: /^runpod-rx\/angular\/testing$/, replacement: source('angular/testing/index.ts') },
  { find: /^runpod-rx\/testing$/, replacement: source('emulator/index.ts') },
  { find: /^runpod-rx\/emulator$/, replacement: source('emulator/server/index.ts') },
];

/** Tests that start processes, or look at what a process has one of: its memory, its clock, the modules that are loaded. */
const processes = [
  'test/{angular,cli,demo,docs,lint}/**/*.test.ts',
  'test/{job,wire}/process.test.ts',
  'test/budget/processes.test.ts',
  'test/nestjs/shutdown.test.ts',
  'test/wire/certificates.test.ts',
  'test/emulator/server/worker/*.test.ts',
  'test/errors/classes.test.ts',
  'test/emulator/memory.test.ts',
  'test/dashboard/page.test.ts',
  'test/time/setClock.test.ts',
];

/** Packages of Nest 11, which lie in a folder of their own. */
const nest11 = {
  find: /^@nestjs\/([\w-]+)$/,
  replacement: fileURLToPath(new URL('./test/nestjs/nest11/node_modules/@nestjs/$1', import.meta.url)),
};

/** Globs of tests to leave out, as `scripts/test.mjs` says. */
const except = process.env.TESTS_EXCEPT?.split(',') ?? [];

export default defineConfig({
  resolve: { alias },
  test: {
    // What rejects or throws outside of a test is a failure: an Observable that reports its error to nobody is a bug.
    dangerouslyIgnoreUnhandledErrors: false,
    globalSetup: 'test/support/startEngines.ts',
    // These end a test that hangs, and nothing else: on a busy machine a test that is well may take many seconds.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    teardownTimeout: 120_000,
    expect: { poll: { timeout: 100_000 } },
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts'],
      reporter: ['text', 'html', 'json-summary'],
    },
    projects: [
      {
        // Files share a process and what it has loaded: that takes most of them longer than their tests do.
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/package/**', ...processes, ...except],
          isolate: false,
          unstubEnvs: true,
          unstubGlobals: true,
        },
      },
      {
        // The tests of Nest again, with the major before the one that they import.
        extends: true,
        resolve: { alias: [nest11] },
        test: { name: 'nest11', include: ['test/nestjs/**/*.test.ts'], exclude: [...processes, ...except] },
      },
      {
        extends: true,
        test: { name: 'process', include: processes, exclude: except },
      },
      {
        // Packs the built package and installs it elsewhere: slow, and only after `npm run build`.
        extends: true,
        test: {
          name: 'package',
          include: ['test/package/**/*.test.ts'],
          exclude: except,
          fileParallelism: false,
        },
      },
    ],
  },
});
