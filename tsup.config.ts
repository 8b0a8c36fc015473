import { writeFileSync } from 'node:fs';
import { brotliCompressSync } from 'node:zlib';
import { defineConfig, type Options } from 'tsup';
import { dashboardModule } from './scripts/lib/dashboard.mjs';

/** The entry points that have types, by their place in `dist/`. */
const entries = {
  index: 'src/index.ts',
  'operators/index': 'src/operators/index.ts',
  'testing/index': 'src/emulator/index.ts',
  'emulator/index': 'src/emulator/server/index.ts',
  'bullmq/index': 'src/bullmq/index.ts',
  'batch/index': 'src/batch/index.ts',
  'durable/index': 'src/durable/index.ts',
  'events/index': 'src/events/index.ts',
  'nestjs/index': 'src/nestjs/index.ts',
  'otel/index': 'src/otel/index.ts',
  'pg-boss/index': 'src/pg-boss/index.ts',
  'server/index': 'src/server/index.ts',
  undici: 'src/undici.ts',
  fetch: 'src/fetch.ts',
};

/** These are ES modules alone, as Angular's own packages are. */
const angular = {
  'angular/index': 'src/angular/index.ts',
  'angular/testing/index': 'src/angular/testing/index.ts',
};

/** Only `dist/adapter` imports `#adapter`; the others import that file. */
const adapterFile: NonNullable<Options['esbuildPlugins']>[number] = {
  name: 'adapter file',
  setup({ initialOptions, onResolve }) {
    const file = initialOptions.define?.TSUP_FORMAT === '"cjs"' ? './adapter.cjs' : './adapter.js';
    onResolve({ filter: /^#adapter$/ }, ({ importer }) => ({
      path: importer.endsWith('adapter.ts') ? '#adapter' : file,
      external: true,
    }));
  },
};

/**
 * `dist/angular/index` hands on two files as a whole, and joins neither. A bundler that splits code, as the Angular CLI does, puts
 * whatever a file names into every chunk that needs the file: by `export *` it finds the file of each name without that.
 */
const angularHalves: NonNullable<Options['esbuildPlugins']>[number] = {
  name: 'halves of the entry for Angular',
  setup({ onResolve }) {
    onResolve({ filter: /^\.\/(client|provideRunpod)\.js$/ }, ({ path, importer }) =>
      importer.endsWith('angular/index.ts') ? { path, external: true } : undefined,
    );
  },
};

const LEFT_OUT = 'not in this copy of undici';

/**
 * What the copy of undici does without: HTTP/2, bodies that are not text, and its parser in the form for SIMD, in whose place
 * undici takes the other. The parser that stays is compressed.
 */
const smallUndici: NonNullable<Options['esbuildPlugins']>[number] = {
  name: 'small undici',
  setup({ onLoad }) {
    onLoad({ filter: /\/(llhttp_simd-wasm|fetch\/body)\.js$/ }, () => ({ contents: `throw new Error('${LEFT_OUT}')` }));
    // Unlike the others, it is loaded at once, and called where a connection has agreed on HTTP/2.
    onLoad({ filter: /\/client-h2\.js$/ }, () => ({
      contents: `module.exports = () => { throw new Error('${LEFT_OUT}') }`,
    }));
    onLoad({ filter: /llhttp-wasm\.js$/ }, async ({ path }) => {
      const { default: parser } = (await import(path)) as { default: Buffer };
      const text = brotliCompressSync(parser).toString('base64');
      return {
        contents: `module.exports = require('node:zlib').brotliDecompressSync(Buffer.from('${text}', 'base64'))`,
      };
    });
  },
};

const shared = {
  tsconfig: 'tsconfig.build.json',
  target: 'es2022',
  platform: 'node',
  removeNodeProtocol: false,
  silent: true,
} satisfies Options;

const packaged = {
  ...shared,
  entry: {
    ...entries,
    // Reached through "imports" in package.json, so that a bundler for browsers never sees the Node one.
    adapter: 'src/http/transports/adapter.ts',
    'adapter.browser': 'src/http/transports/adapter.browser.ts',
    'adapter.fetch': 'src/http/transports/adapter.fetch.ts',
    'adapter.node': 'src/http/transports/adapter.node.ts',
  },
  // Without it each CommonJS entry would get its own copy of the shared classes, and `instanceof` would not hold.
  splitting: true,
  external: ['#undici', '#dashboard', /^@angular\//],
  esbuildPlugins: [adapterFile, angularHalves],
  // Packages are not bundled (they are dependencies); the source is readable as it is, so there are no source maps.
  minify: false,
  // Merges the imports of all the files in a chunk, which bundlers of applications leave as they are: half a kilobyte.
  treeshake: true,
} satisfies Options;

export default defineConfig([
  {
    ...packaged,
    format: ['esm'],
    entry: {
      ...packaged.entry,
      ...angular,
      // A program, which nobody imports.
      cli: 'src/cli/main.ts',
      // Entries so that each has a file of its own: an application's initial chunk takes the first, without the second.
      'angular/provideRunpod': 'src/angular/provideRunpod.ts',
      'angular/client': 'src/angular/client.ts',
    },
    dts: { entry: { ...entries, ...angular } },
  },
  {
    ...packaged,
    format: ['cjs'],
    dts: { entry: entries },
    onSuccess: () => {
      writeFileSync(new URL('./dist/dashboard.cjs', import.meta.url), dashboardModule());
      return Promise.resolve();
    },
  },
  {
    ...shared,
    entry: { 'undici.bundled': 'src/http/transports/undici.bundled.ts' },
    format: ['esm'],
    noExternal: ['undici'],
    esbuildPlugins: [smallUndici],
    // `require` of Node's own modules, in whatever kind of module it ends up.
    banner: {
      js: [
        '/*! undici, https://undici.nodejs.org, MIT License, Copyright (c) Matteo Collina and Undici contributors */',
        'const require = (name) => process.getBuiltinModule(name);',
      ].join('\n'),
    },
    minify: true,
  },
]);
