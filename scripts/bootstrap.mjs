/**
 * Installs the dependencies when they are missing, or are not those of package-lock.json; else it returns quickly. It runs
 * before there is anything in node_modules, so it imports Node's own modules only.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, lstatSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

function packagesOf(file) {
  const path = join(root, file);
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')).packages : undefined;
}

/** Why an install is needed, or undefined. npm writes a lock file of what it has installed into node_modules. */
function outdated() {
  const wanted = packagesOf('package-lock.json');
  const installed = packagesOf('node_modules/.package-lock.json');
  if (!installed) return 'no node_modules';
  for (const [path, { version, integrity, optional }] of Object.entries(wanted)) {
    if (path === '') continue;
    const found = installed[path];
    // An optional package that is missing belongs to another platform.
    if (!found && optional) continue;
    if (found?.version !== version || found?.integrity !== integrity)
      return `${path} is not the one of package-lock.json`;
  }
  const surplus = Object.keys(installed).find((path) => !(path in wanted));
  return surplus && `${surplus} is not in package-lock.json`;
}

/** npm as a command with arguments: the npm that runs this script, or the one on the PATH. */
export function npm(...args) {
  const cli = process.env.npm_execpath;
  return cli?.endsWith('.js') ? [process.execPath, [cli, ...args]] : ['npm', args];
}

export function bootstrap() {
  const reason = outdated();
  if (!reason) return;
  const modules = join(root, 'node_modules');
  // npm would empty the folder that the link points to, and that may belong to another checkout.
  if (lstatSync(modules, { throwIfNoEntry: false })?.isSymbolicLink()) {
    process.stderr.write(`node_modules is a link, and out of date (${reason}): nothing was installed.\n`);
    return;
  }
  const start = performance.now();
  process.stderr.write(`Installing dependencies (${reason}) …\n`);
  const [command, args] = npm('ci', '--no-audit', '--no-fund', '--loglevel=error');
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd: root,
    encoding: 'utf8',
    shell: process.platform === 'win32' && command === 'npm',
  });
  if (status !== 0) {
    process.stderr.write(`${stdout ?? ''}${stderr ?? ''}${error ?? ''}\nnpm ci failed.\n`);
    process.exit(1);
  }
  process.stderr.write(`Installed in ${((performance.now() - start) / 1000).toFixed(1)} s\n`);
}
