import { defineConfig } from 'tsup';

/** The entry points that have types, by their place in `dist/`. */
const entries = {
  index: 'src/index.ts',
  'operators/index': 'src/operators/index.ts',
  'testing/index': 'src/emulator/index.ts',
  'emulator/index': 'src/emulator/server/index.ts',
  undici: 'src/undici.ts',
  fetch: 'src/fetch.ts',
};

export default defineConfig({
  entry: {
    ...entries,
    cli: 'src/cli/main.ts',
    // Reached through "imports" in package.json, so that a bundler for browsers never sees the Node one.
    'adapter.node': 'src/http/transports/adapter.node.ts',
    'adapter.browser': 'src/http/transports/adapter.browser.ts',
  },
  tsconfig: 'tsconfig.build.json',
  format: ['esm', 'cjs'],
  // Without it each CommonJS entry would get its own copy of the shared classes, and `instanceof` would not hold.
  splitting: true,
  dts: { entry: entries },
  target: 'es2022',
  platform: 'node',
  removeNodeProtocol: false,
  external: ['#adapter'],
  // Packages are not bundled (they are dependencies); the source is readable as it is.
  minify: false,
  sourcemap: true,
  clean: true,
  // Merges the imports of all the files in a chunk, which bundlers of applications leave as they are: half a kilobyte.
  treeshake: true,
  silent: true,
});
