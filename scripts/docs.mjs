/**
 * `npm run docs`: builds the site of the documentation in `docs/.vitepress/dist`, with the reference that TypeDoc makes of the
 * comments in `docs/api`, and checks every link. `npx vitepress preview docs` serves it.
 */
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vitepress';
import { checkSite } from './docs/checkSite.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const docs = join(root, 'docs');

rmSync(join(docs, 'api'), { recursive: true, force: true });
execFileSync(process.execPath, [join(root, 'node_modules/typedoc/bin/typedoc')], { cwd: root, stdio: 'inherit' });
await build(docs);

const { pages, links, problems } = checkSite(join(docs, '.vitepress/dist'));
for (const problem of problems) console.error(problem);
console.log(`${pages} pages, ${links} links`);
console.log(`${problems.length === 0 ? 1 : 0} passed, ${problems.length} failed`);
process.exitCode = problems.length > 0 ? 1 : 0;
