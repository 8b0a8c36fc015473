/**
 * Many jobs on one endpoint, in virtual time: how soon a client knows that a job is over, how many requests that takes,
 * and how long all jobs take. The emulator enforces the documented limits; a request takes 40 ms, give or take 20; jobs
 * execute for a log-normal time with a median of 8 s. This client is compared with programs written without it, with an
 * ideal client, and with itself where held reads do not work or webhooks tell it of ends.
 */
import { amongClients, ASKED as AMONG_CLIENTS } from './fleet/amongClients.mjs';
import { ASKED as BEHIND_GATEWAYS, behindGateways, longJobs } from './fleet/behindGateways.mjs';
import { ASKED as WITH_WEBHOOKS, toldByWebhooks } from './fleet/toldByWebhooks.mjs';

/**
 * @param {{ quick?: boolean, own?: boolean }} options - `quick`: fewer jobs and settings, and one kind of window; `own`: without the other clients
 * @returns {Promise<import('./measure.mjs').Measurement>}
 */
export async function fleet({ quick = false, own = false } = {}) {
  const tables = {
    lines: await amongClients({ quick, own }),
    gateways: await behindGateways({ quick }),
    longJobs: await longJobs({ quick }),
    webhooks: await toldByWebhooks({ quick }),
  };
  return {
    name: 'fleet: many jobs on one endpoint, in virtual time',
    ok: Object.values(tables).every((lines) => lines.every((line) => !line.missed?.length)),
    asked: { finished: 'all', refused: 0, ...AMONG_CLIENTS, gateways: BEHIND_GATEWAYS, webhooks: WITH_WEBHOOKS },
    ...tables,
  };
}
