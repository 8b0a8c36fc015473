/**
 * `npm run bench [-- --json --quick --own] [names]`: installs and builds what is missing, then measures. The options are
 * explained in bench/measure.mjs.
 */
import { bootstrap } from './bootstrap.mjs';

bootstrap();
const { ensureBuilt } = await import('./lib/build.mjs');
ensureBuilt();
const { measure } = await import('../bench/measure.mjs');
process.exitCode = (await measure(process.argv.slice(2))) ? 0 : 1;
