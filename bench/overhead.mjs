/**
 * What a request costs the client: CPU and requests per second of `status` over loopback, 64 requests at once. Every client
 * parses the answer's JSON.
 */
import { clients } from './overhead/clients.mjs';
import { compare, ratios } from './overhead/compare.mjs';

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
  const lines = await compare(Object.keys(clients), requests);
  const asked = ratios(lines, ASKED);
  const ok = asked.every((ratio) => ratio.ok);
  return { name: 'overhead: what a request costs the client', ok, requests, asked, lines };
}
