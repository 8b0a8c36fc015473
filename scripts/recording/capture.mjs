import { spawn } from 'node:child_process';

/**
 * Runs a command in a terminal of that many columns, by `script` of util-linux, and collects what it writes.
 *
 * @returns {Promise<{ at: number, text: string }[]>} the pieces of its output, and when each came, in milliseconds
 */
export function capture(command, { columns, cwd }) {
  const child = spawn('script', ['-qefc', `stty cols ${columns} rows 50; ${command}`, '/dev/null'], {
    cwd,
    env: { ...process.env, NO_COLOR: '', TERM: 'xterm-256color' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const start = performance.now();
  const pieces = [];
  child.stdout.setEncoding('utf8').on('data', (text) => pieces.push({ at: performance.now() - start, text }));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => (code === 0 ? resolve(pieces) : reject(new Error(`${command} ended with ${code}`))));
  });
}
