/** `npm run build`: builds dist/ anew by tsup, and takes the comments out of the second copy of the types. */
import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = join(root, 'dist');

rmSync(dist, { recursive: true, force: true });
const tsup = join(root, 'node_modules/tsup/dist/cli-default.js');
const { status } = spawnSync(process.execPath, [tsup], { cwd: root, stdio: 'inherit' });
if (status === 0) stripComments();
process.exitCode = status ?? 1;

/**
 * Takes the comments out of the types for `require`. They are a copy of the types for `import`, which have them, and all comments
 * twice would be a tenth of the package.
 */
function stripComments() {
  for (const file of readdirSync(dist, { recursive: true }).filter((path) => path.endsWith('.d.cts'))) {
    const path = join(dist, file);
    const source = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest);
    writeFileSync(path, ts.createPrinter({ removeComments: true }).printFile(source));
  }
}
