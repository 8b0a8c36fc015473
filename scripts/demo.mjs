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
// Inside the package, so that `runpod-rx` and its dependencies resolve from this file.
const outfile = join(root, '.cache/demo.mjs');
mkdirSync(join(outfile, '..'), { recursive: true });
const { build } = await import('esbuild');
// Another run may read the file at the same time, so it is written elsewhere and moved when it is complete.
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
  // Without the paths of tsconfig.json, which lead to src/: the demo imports dist/, as users do.
  tsconfigRaw: '{}',
  logLevel: 'warning',
});
renameSync(unfinished, outfile);
process.setSourceMapsEnabled(true);
// The demo runs in this process, so that it gets the arguments where it expects them, and handles Ctrl-C itself.
process.argv.splice(1, 1, main);
await import(pathToFileURL(outfile).href);
