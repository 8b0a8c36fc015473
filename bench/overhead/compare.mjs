import { fork } from 'node:child_process';
import { round } from '../lib/round.mjs';

const ROUNDS = 9;

/**
 * What a request costs each of these clients: microseconds of CPU, the median of nine rounds in which the clients take turns,
 * with quartiles; and requests per second. The server and each client have a process of their own.
 *
 * @param {readonly string[]} names - names of clients
 * @param {number} requests - how many requests a client makes in a round
 * @returns {Promise<{ client: string, cpuMicroseconds: number, quartiles: number[], perSecond: number }[]>}
 */
export async function compare(names, requests) {
  const server = begin('server');
  const loads = [];
  try {
    const baseUrl = `http://127.0.0.1:${await message(server)}/v2`;
    for (const name of names) {
      const load = begin('load', name, baseUrl);
      loads.push({ name, load, taken: [] });
      await message(load);
    }
    for (let turn = 0; turn < ROUNDS; turn += 1) {
      for (const { load, taken } of loads) {
        load.send(requests);
        taken.push(await message(load));
      }
    }
  } finally {
    for (const { load } of loads) load.disconnect();
    server.disconnect();
  }
  return loads.map(({ name, taken }) => {
    const cpu = taken.map((one) => one.cpu);
    const perSecond = taken.map((one) => one.perSecond);
    return {
      client: name,
      cpuMicroseconds: round(quantile(cpu, 0.5), 1),
      quartiles: [0.25, 0.75].map((part) => round(quantile(cpu, part), 1)),
      perSecond: Math.round(quantile(perSecond, 0.5)),
    };
  });
}

/**
 * How much CPU a client takes beside another one.
 *
 * @param {Awaited<ReturnType<typeof compare>>} lines
 * @param {readonly [client: string, beside: string, most: number][]} asked - the most that is allowed, as a multiple
 */
export function ratios(lines, asked) {
  const cpuOf = (name) => lines.find(({ client }) => client === name).cpuMicroseconds;
  return asked.map(([client, beside, most]) => {
    const ratio = cpuOf(client) / cpuOf(beside);
    return { client, beside, cpuRatio: round(ratio), asked: most, ok: ratio <= most };
  });
}

function begin(script, ...args) {
  return fork(new URL(`${script}.mjs`, import.meta.url), args);
}

function message(process) {
  return new Promise((resolve, reject) => {
    const ended = (code) => reject(new Error(`${process.spawnargs.slice(1).join(' ')} ended with ${code}`));
    process.once('exit', ended);
    process.once('message', (value) => {
      process.off('exit', ended);
      resolve(value);
    });
  });
}

function quantile(values, part) {
  return values.toSorted((one, two) => one - two)[Math.floor(part * (values.length - 1))];
}
