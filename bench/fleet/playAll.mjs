import { availableParallelism } from 'node:os';
import { child } from '../lib/child.mjs';

const SCRIPT = new URL('play.mjs', import.meta.url);

/** A simulation makes millions of short-lived objects; with a larger young generation the garbage collector runs less often. */
const FLAGS = ['--max-semi-space-size=128'];

/**
 * Plays scenarios, two at a time where there are two processors, and gives each with its figures. Equal scenarios are
 * played once.
 *
 * @template T
 * @param {readonly T[]} scenarios
 * @returns {Promise<(T & ReturnType<typeof import('./simulate.mjs').simulate>)[]>}
 */
export async function playAll(scenarios) {
  const played = new Map();
  const todo = [...new Set(scenarios.map((scenario) => JSON.stringify(scenario)))];
  const total = todo.length;
  const work = async () => {
    while (todo.length > 0) {
      const next = todo.shift();
      played.set(next, await child(SCRIPT, [next], FLAGS));
      if (process.stderr.isTTY) process.stderr.write(`\r${played.size} of ${total} simulations  `);
    }
  };
  await Promise.all(Array.from({ length: Math.min(2, availableParallelism()) }, work));
  if (process.stderr.isTTY) process.stderr.write('\r\u001B[K');
  return scenarios.map((scenario) => ({ ...scenario, ...played.get(JSON.stringify(scenario)) }));
}
