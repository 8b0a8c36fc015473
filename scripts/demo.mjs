/** `npm run demo [-- arguments]`: installs and builds what is missing, then runs examples/demo/main.ts. */
import { mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { bootstrap } from './bootstrap.mjs';

bootstrap();
const { ensureBuilt } = await import('./lib/build.mjs');
ensureBuilt();

const root = fileURLToPath(new URL('..', import.meta.url));
const main = join(root, 'examples/demo/main.ts');
// Inside the package, so that `runpod-rx` and its dependencies resolve from there.
const outfile = join(root, '.cache/demo.mjs');
mkdirSync(join(outfile, '..'), { recursive: true });
const { build } = await import('esbuild');
// Another run may read it meanwhile: it is there as a whole or not at all.
const unfinished = `${outfile}.${process.pid}`;
await build({
  entryPoints: [main],
  outfile: unfinished,
  bundle: true,
  packages: 'external',
  platform: 'node',
  format: 'esm',
  target: 'node20',
  sourcemap: 'inline',
  // The package by its name, from dist/: the demo runs what users install.
  tsconfigRaw: '{}',
  logLevel: 'warning',
});
renameSync(unfinished, outfile);
process.setSourceMapsEnabled(true);
// In this process: arguments are where the demo expects them, and Ctrl-C is the demo's to handle.
process.argv.splice(1, 1, main);
await import(pathToFileURL(outfile).href);
