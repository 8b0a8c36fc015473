import { defineConfig } from 'tsup';

export default defineConfig({
  entry: {
    index: 'src/index.ts',
    'operators/index': 'src/operators/index.ts',
    'testing/index': 'src/emulator/index.ts',
    'emulator/index': 'src/emulator/server/index.ts',
    undici: 'src/undici.ts',
    cli: 'src/cli/main.ts',
    // Reached through "imports" in package.json, so that a bundler for browsers never sees the Node one.
    'adapter.node': 'src/http/transports/adapter.node.ts',
    'adapter.browser': 'src/http/transports/adapter.browser.ts',
  },
  tsconfig: 'tsconfig.build.json',
  format: ['esm', 'cjs'],
  // Without it each CommonJS entry would get its own copy of the shared classes, and `instanceof` would not hold.
  splitting: true,
  dts: {
    entry: [
      'src/index.ts',
      'src/operators/index.ts',
      'src/emulator/index.ts',
      'src/emulator/server/index.ts',
      'src/undici.ts',
    ],
  },
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
