/** What the package weighs in a browser: the table of `npm run sizes`. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const SCRIPT = fileURLToPath(new URL('../scripts/sizes.mjs', import.meta.url));

/** @returns {import('./measure.mjs').Measurement} */
export function size() {
  const { status, stdout, stderr } = spawnSync(process.execPath, [SCRIPT, '--json'], { encoding: 'utf8' });
  if (!stdout) throw new Error(`sizes.mjs gave nothing: ${stderr}`);
  return { name: 'size: what the package weighs in a browser', ok: status === 0, ...figures(JSON.parse(stdout)) };
}

function figures(given) {
  return Array.isArray(given) ? { lines: given } : given;
}
