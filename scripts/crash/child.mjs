import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/**
 * Starts a script of this folder, or of a path. `next` gives its next line of JSON, or `undefined` once it has ended; `tell`
 * writes a line to it; `kill` kills it, and waits until it is gone; `ended` resolves when it has ended.
 */
export function child(script, options) {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const started = spawn(process.execPath, [path, JSON.stringify(options)], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: started.stdout })[Symbol.asyncIterator]();
  const ended = new Promise((resolve) => started.once('close', resolve));
  return {
    pid: started.pid,
    ended,
    next: async () => {
      const { value } = await lines.next();
      return value === undefined ? undefined : JSON.parse(value);
    },
    tell: (line) => started.stdin.write(`${line}\n`),
    kill: async () => {
      started.kill('SIGKILL');
      await ended;
    },
  };
}
