import { spawn } from 'node:child_process';

/** A process that takes longer hangs. */
const TIMEOUT = 240_000;

/** Runs a command to its end, and gives its standard output. Throws with all of its output if it fails. */
export function run(command, args, { cwd, env } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...environment(), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      shell: process.platform === 'win32' && command === 'npm',
      timeout: TIMEOUT,
      killSignal: 'SIGKILL',
    });
    let stdout = '';
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout += text;
      output += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text) => (output += text));
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (code === 0) resolve(stdout);
      else reject(new Error(`${command} ${args.join(' ')} ended with ${code ?? signal}\n${output}`));
    });
  });
}

/** The environment, without what `npm run` and test runners add, and without a key or an endpoint of the user's. */
function environment() {
  const without = /^(npm_|NODE_ENV$|NODE_OPTIONS$|VITEST|RUNPOD_|ENDPOINT_ID$|FORCE_COLOR$)/;
  return { ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !without.test(name))), NO_COLOR: '1' };
}
