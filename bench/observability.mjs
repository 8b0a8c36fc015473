/**
 * What it costs to be watched: CPU of `status` over loopback, 64 requests at once, for a client that nobody listens to, for one
 * whose listener has left, and for one with `instrument` of `runpod-rx/otel`, without and with an SDK of OpenTelemetry.
 */
import { watchedClients } from './overhead/watchedClients.mjs';
import { compare, ratios } from './overhead/compare.mjs';

/** Where nobody listens it costs nothing that can be measured: the rest is the noise of a run. */
const ASKED = [['a listener that has left', 'nobody listens', 1.05]];

/** @returns {Promise<import('./measure.mjs').Measurement>} */
export async function observability({ quick = false } = {}) {
  const requests = quick ? 2_000 : 6_000;
  const lines = await compare(Object.keys(watchedClients), requests);
  const asked = ratios(lines, ASKED);
  const ok = asked.every((ratio) => ratio.ok);
  return { name: 'observability: what it costs to be watched', ok, requests, asked, lines };
}
