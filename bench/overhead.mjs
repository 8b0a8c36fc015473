/**
 * What a request costs the client: CPU and requests per second of `status` over loopback, 64 requests at once. The server
 * and each client have a process of their own, and every client parses the answer's JSON. The clients take turns, nine
 * times; the median counts.
 */
import { fork } from 'node:child_process';
import { round } from './lib/round.mjs';
import { clients } from './overhead/clients.mjs';

const ROUNDS = 9;

/** A client, another client, and how much CPU a request of the first may take, as a multiple of the second's in the same run. */
const ASKED = [
  ['runpod-rx', 'axios over undici', 1.5],
  ['runpod-rx', 'runpod-sdk', 0.45],
  ['runpod-rx, undiciTransport', 'undici', 1.5],
  ['runpod-rx, fetchTransport', 'fetch', 1.6],
];

/** @returns {Promise<import('./measure.mjs').Measurement>} */
export async function overhead({ quick = false } = {}) {
  const requests = quick ? 2_000 : 6_000;
  const server = begin('server');
  try {
    const baseUrl = `http://127.0.0.1:${await message(server)}/v2`;
    const taken = Object.fromEntries(Object.keys(clients).map((name) => [name, []]));
    const loads = [];
    try {
      for (const name of Object.keys(clients)) {
        const load = begin('load', name, baseUrl);
        loads.push([name, load]);
        await message(load);
      }
      for (let round = 0; round < ROUNDS; round += 1) {
        for (const [name, load] of loads) {
          load.send(requests);
          taken[name].push(await message(load));
        }
      }
    } finally {
      for (const [, load] of loads) load.disconnect();
    }
    const cpu = Object.fromEntries(
      Object.entries(taken).map(([name, all]) => [
        name,
        quantile(
          all.map((one) => one.cpu),
          0.5,
        ),
      ]),
    );
    const ratios = ASKED.map(([client, other, most]) => {
      const ratio = cpu[client] / cpu[other];
      return { client, beside: other, cpuRatio: round(ratio), asked: most, ok: ratio <= most };
    });
    return {
      name: 'overhead: what a request costs the client',
      ok: ratios.every(({ ok }) => ok),
      atOnce: 64,
      requests: requests * ROUNDS,
      asked: ratios,
      lines: Object.entries(taken).map(([client, all]) => ({
        client,
        cpuMicroseconds: round(cpu[client], 1),
        quartiles: [0.25, 0.75].map((part) =>
          round(
            quantile(
              all.map((one) => one.cpu),
              part,
            ),
            1,
          ),
        ),
        perSecond: Math.round(
          quantile(
            all.map((one) => one.perSecond),
            0.5,
          ),
        ),
      })),
    };
  } finally {
    server.disconnect();
  }
}

function begin(script, ...args) {
  return fork(new URL(`overhead/${script}.mjs`, import.meta.url), args);
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
