/** Folders of applications under the system's temporary directory: what is installed there stays for the next run. */
import { createHash } from 'node:crypto';
import { existsSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from './process.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const cache = process.env.RUNPOD_RX_MATRIX_CACHE ?? join(tmpdir(), 'runpod-rx-matrix');
const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

const npm = (cwd, ...args) =>
  run('npm', [...args, '--prefer-offline', '--no-audit', '--no-fund', '--no-package-lock', '--loglevel=error'], {
    cwd,
  });

/** Packs what is in dist/. */
export async function pack() {
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'packed-'));
  const output = await run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], { cwd: root });
  const [{ filename }] = JSON.parse(output);
  const path = join(folder, filename);
  const hash = createHash('sha256').update(readFileSync(path)).digest('hex');
  return { path, hash, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** A folder with packages from npm, which are installed if they are not there yet. */
export async function toolFolder(name, dependencies) {
  const folder = join(cache, name);
  const wanted = JSON.stringify({ name, private: true, type: 'module', dependencies }, null, 2);
  const stamp = join(folder, '.installed');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return folder;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), wanted);
  await npm(folder, 'install');
  writeFileSync(stamp, wanted);
  return folder;
}

/** A folder with packages from npm, the packed package among them, and the matrix's programs. */
export async function application(packed, name, dependencies = {}) {
  const folder = await toolFolder(name, { rxjs: devDependencies.rxjs, ...dependencies });
  const stamp = join(folder, '.package');
  if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== packed.hash) {
    await npm(folder, 'install', '--no-save', packed.path);
    writeFileSync(stamp, packed.hash);
  }
  cpSync(fileURLToPath(new URL('programs', import.meta.url)), folder, { recursive: true });
  return folder;
}

/** Runs one of npm's own questions, such as whether a version of a package exists. */
export async function isOnNpm(specifier) {
  const found = await run('npm', ['view', specifier, 'version', '--json', '--prefer-offline'], { cwd: cache }).catch(
    () => '',
  );
  return found.trim() !== '';
}
