import { fork } from 'node:child_process';

/**
 * Runs a script of `bench/` in a process of its own, and gives the first message it sends.
 *
 * @param {URL} script
 * @param {readonly string[]} args
 * @param {readonly string[]} execArgv - flags of Node
 */
export function child(script, args = [], execArgv = []) {
  return new Promise((resolve, reject) => {
    const running = fork(script, args, { execArgv: [...execArgv] });
    running.once('message', resolve);
    running.once('error', reject);
    running.once('exit', (code) => reject(new Error(`${script.pathname} ended with ${code}`)));
  });
}
