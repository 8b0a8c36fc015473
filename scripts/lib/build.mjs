import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

const changed = (path) => statSync(join(root, path)).mtimeMs;

/** Whether dist/ is missing or older than what it is made from. */
function stale() {
  const built = ['dist/index.cjs', 'dist/index.d.cts', 'dist/undici.d.cts', 'dist/fetch.d.cts'];
  if (!built.every((path) => existsSync(join(root, path)))) return true;
  const made = Math.min(...built.map(changed));
  const sources = readdirSync(join(root, 'src'), { recursive: true }).filter((path) => path.endsWith('.ts'));
  const from = [...sources.map((path) => join('src', path)), 'package.json', 'tsconfig.json', 'tsup.config.ts'];
  return from.some((path) => changed(path) > made);
}

/** Builds dist/ when it is out of date. */
export function ensureBuilt() {
  if (!stale()) return;
  process.stderr.write('Building …\n');
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'scripts/build.mjs')], {
    cwd: root,
    encoding: 'utf8',
  });
  if (status !== 0) {
    process.stderr.write(`${stdout}${stderr}\nThe build failed.\n`);
    process.exit(1);
  }
}
