/** `npm run build`: builds dist/ anew by tsup, and makes the copies for `require` smaller. */
import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transformSync } from 'esbuild';
import ts from 'typescript';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = join(root, 'dist');

rmSync(dist, { recursive: true, force: true });
const tsup = join(root, 'node_modules/tsup/dist/cli-default.js');
const { status } = spawnSync(process.execPath, [tsup], { cwd: root, stdio: 'inherit' });
if (status === 0) {
  rewrite('.cjs', minified);
  rewrite('.d.cts', withoutComments);
}
process.exitCode = status ?? 1;

function rewrite(extension, change) {
  for (const file of readdirSync(dist, { recursive: true }).filter((path) => path.endsWith(extension))) {
    const path = join(dist, file);
    writeFileSync(path, change(readFileSync(path, 'utf8')));
  }
}

/** The code for `require`, in lines that a stack trace can show. The code for `import` is the one to read. */
function minified(code) {
  const settings = { target: 'es2022', legalComments: 'inline', charset: 'utf8' };
  return transformSync(code, { ...settings, minify: true, lineLimit: 200 }).code;
}

/** The types for `require` are a copy of those for `import`, which have the comments. */
function withoutComments(code) {
  const source = ts.createSourceFile('types.d.cts', code, ts.ScriptTarget.Latest);
  return ts.createPrinter({ removeComments: true }).printFile(source);
}
