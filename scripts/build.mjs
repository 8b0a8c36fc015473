/** `npm run build`: builds dist/ anew by tsup, and makes it smaller. */
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
  rewrite('cli.js', minified);
  rewrite('.js', withoutBlanks);
  rewrite('.d.cts', withoutComments);
}
process.exitCode = status ?? 1;

function rewrite(extension, change) {
  for (const file of readdirSync(dist, { recursive: true }).filter((path) => path.endsWith(extension))) {
    const path = join(dist, file);
    writeFileSync(path, change(readFileSync(path, 'utf8')));
  }
}

/** The code for `require`, and the command: in lines that a stack trace can show. */
function minified(code) {
  const settings = { target: 'es2022', legalComments: 'inline', charset: 'utf8' };
  return transformSync(code, { ...settings, minify: true, lineLimit: 500 }).code;
}

/** The code for `import` keeps its names. */
function withoutBlanks(code) {
  const settings = { target: 'es2022', legalComments: 'inline', charset: 'utf8' };
  return transformSync(code, { ...settings, minifyWhitespace: true, minifySyntax: true, lineLimit: 500 }).code;
}

/** The types for `require` are a copy of those for `import`, which have the comments. */
function withoutComments(code) {
  const source = ts.createSourceFile('types.d.cts', code, ts.ScriptTarget.Latest);
  return ts.createPrinter({ removeComments: true }).printFile(source).replace(/^ +/gm, '');
}
