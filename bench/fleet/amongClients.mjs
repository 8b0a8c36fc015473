/** This client, programs written without it, and the ideal client, by the number of workers. */
import { lineOf } from './lineOf.mjs';
import { missed } from './missed.mjs';
import { playAll } from './playAll.mjs';

const OWN = 'runpod-rx';
const OTHERS = ['a poll each 5 s', 'a poll each 0.5 s', 'a status-sync loop'];

const SETTINGS = [
  { workers: 100, limits: 'base' },
  { workers: 300, limits: 'base' },
  { workers: 1_000, limits: 'base' },
  { workers: 1_000, limits: 'growing' },
];

/**
 * The most that this client may take: seconds, reads for each job, and multiples of the ideal client's time. Under fixed
 * windows, a client that does not know when they begin takes 1.033 times the ideal at best.
 */
const FEW_WORKERS = { notice: 0.05, noticeAllAtOnce: 0.1, readsPerJob: 1.5, timesIdeal: 1.01, timesIdealFixed: 1.03 };
export const ASKED = {
  '100 base': FEW_WORKERS,
  '300 base': FEW_WORKERS,
  '1000 base': { notice: 0.6, timesIdeal: 1.03, timesIdealFixed: 1.05 },
  '1000 growing': { notice: 0.1, timesIdeal: 1.03 },
};

function askedOf({ workers, limits, window, inFlight }) {
  const asked = ASKED[`${workers} ${limits}`];
  const { notice, noticeAllAtOnce = notice, readsPerJob = Infinity, timesIdeal, timesIdealFixed = timesIdeal } = asked;
  return {
    notice: inFlight === undefined ? noticeAllAtOnce : notice,
    readsPerJob,
    timesIdeal: window === 'fixed' ? timesIdealFixed : timesIdeal,
  };
}

/** The figures of each client in each setting, under both kinds of window, with 1.5 jobs in flight a worker and with all. */
export async function amongClients({ quick, own }) {
  const worlds = SETTINGS.flatMap((setting) => [{ ...setting, inFlight: setting.workers * 1.5 }, setting]);
  const windows = quick ? ['sliding'] : ['sliding', 'fixed'];
  const scenarios = windows.flatMap((window) =>
    worlds.flatMap((world) =>
      ['ideal', OWN, ...(own || window === 'fixed' ? [] : OTHERS)].map((client) => ({
        client,
        jobs: jobsOf(client, world, quick),
        ...world,
        window,
      })),
    ),
  );
  // A scenario with fewer jobs has an ideal of its own.
  const ideals = scenarios.map((scenario) => ({ ...scenario, client: 'ideal' }));
  const results = await playAll([...scenarios, ...ideals]);
  return results.slice(0, scenarios.length).map((result, index) => {
    const line = lineOf(result, results[scenarios.length + index].makespan);
    return result.client === OWN ? { ...line, missed: missed(line, askedOf(result)) } : line;
  });
}

/** How many jobs a client does: fewer where its simulation is slow. */
function jobsOf(client, { workers, inFlight }, quick) {
  if (!OTHERS.includes(client)) return 10_000;
  // With all jobs at once, the other clients send thousands of requests a second until the last job is over.
  const allAtOnce = inFlight === undefined;
  if (allAtOnce && client === 'a poll each 0.5 s') return 2_000;
  // A thousand workers would finish fewer jobs before their queue is steady.
  return (allAtOnce || quick) && workers < 1_000 ? 3_000 : 10_000;
}
