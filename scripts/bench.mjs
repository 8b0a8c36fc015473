/** `npm run bench [-- --json --quick] [names]`: installs and builds what is missing, then measures; `--json` ends with one line of JSON. */
import { bootstrap } from './bootstrap.mjs';

bootstrap();
const { ensureBuilt } = await import('./lib/build.mjs');
ensureBuilt();
const { measure } = await import('../bench/measure.mjs');
process.exitCode = (await measure(process.argv.slice(2))) ? 0 : 1;
