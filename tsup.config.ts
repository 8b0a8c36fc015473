import { defineConfig, type Options } from 'tsup';

/** The entry points that have types, by their place in `dist/`. */
const entries = {
  index: 'src/index.ts',
  'operators/index': 'src/operators/index.ts',
  'testing/index': 'src/emulator/index.ts',
  'emulator/index': 'src/emulator/server/index.ts',
  'events/index': 'src/events/index.ts',
  'nestjs/index': 'src/nestjs/index.ts',
  'otel/index': 'src/otel/index.ts',
  'server/index': 'src/server/index.ts',
  undici: 'src/undici.ts',
  fetch: 'src/fetch.ts',
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

const shared = {
  tsconfig: 'tsconfig.build.json',
  target: 'es2022',
  platform: 'node',
  removeNodeProtocol: false,
  silent: true,
} satisfies Options;

export default defineConfig([
  {
    ...shared,
    entry: {
      ...entries,
      cli: 'src/cli/main.ts',
      // Reached through "imports" in package.json, so that a bundler for browsers never sees the Node one.
      adapter: 'src/http/transports/adapter.ts',
      'adapter.browser': 'src/http/transports/adapter.browser.ts',
      'adapter.fetch': 'src/http/transports/adapter.fetch.ts',
      'adapter.node': 'src/http/transports/adapter.node.ts',
    },
    format: ['esm', 'cjs'],
    // Without it each CommonJS entry would get its own copy of the shared classes, and `instanceof` would not hold.
    splitting: true,
    dts: { entry: entries },
    external: ['#undici'],
    esbuildPlugins: [adapterFile],
    // Packages are not bundled (they are dependencies); the source is readable as it is, so there are no source maps.
    minify: false,
    // The other build, which runs at the same time, writes that file.
    clean: ['!undici.bundled.js'],
    // Merges the imports of all the files in a chunk, which bundlers of applications leave as they are: half a kilobyte.
    treeshake: true,
  },
  {
    ...shared,
    entry: { 'undici.bundled': 'src/http/transports/undici.bundled.ts' },
    format: ['esm'],
    noExternal: ['undici'],
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
