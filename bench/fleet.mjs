/**
 * Many jobs on one endpoint, in virtual time: how soon a client knows that a job is over, how many requests that takes,
 * and how long all jobs take. The emulator enforces the documented limits; a request takes 40 ms, give or take 20; jobs
 * execute for a log-normal time with a median of 8 s. This client is compared with programs written without it, and with
 * an ideal client.
 */
import { playAll } from './fleet/playAll.mjs';
import { round } from './lib/round.mjs';

const OWN = 'runpod-rx';
const OTHERS = ['a poll each 5 s', 'a poll each 0.5 s', 'a status-sync loop'];

/** The most that this client may take, by the number of workers and their limits: seconds, and reads for each job. */
const ASKED = {
  '100 base': { notice: 0.5, statusPerJob: 12 },
  '1000 base': { notice: 3 },
  '1000 growing': { notice: 0.6 },
};
/** How long all jobs may take, as a multiple of the ideal client's time. */
const MAKESPAN = 1.03;

/**
 * @param {{ quick?: boolean, own?: boolean }} options - `quick`: fewer jobs, and one kind of window; `own`: without the other clients
 * @returns {Promise<import('./measure.mjs').Measurement>}
 */
export async function fleet({ quick = false, own = false } = {}) {
  // A thousand workers would finish fewer jobs before their queue is steady.
  const jobsOf = (workers) => (quick && workers < 1_000 ? 3_000 : 10_000);
  const settings = [
    { workers: 100, limits: 'base' },
    { workers: 300, limits: 'base' },
    { workers: 1_000, limits: 'base' },
    { workers: 1_000, limits: 'growing' },
  ];
  const worlds = settings.flatMap((setting) => [
    { jobs: jobsOf(setting.workers), ...setting, inFlight: setting.workers * 1.5 },
    { jobs: jobsOf(setting.workers), ...setting },
  ]);
  const windows = quick ? ['sliding'] : ['sliding', 'fixed'];
  const scenarios = windows.flatMap((window) =>
    worlds.flatMap((world) => [
      { client: 'ideal', ...world, window },
      { client: OWN, ...world, window },
      // The heavy ones get fewer jobs: with all jobs at once and a poll each half second, a simulation takes an hour.
      ...(own || window === 'fixed'
        ? []
        : OTHERS.map((client) => ({ client, ...world, window, ...(isHeavy(client, world) && { jobs: 2_000 }) }))),
    ]),
  );
  // A scenario with fewer jobs has an ideal of its own.
  const ideals = scenarios.map((scenario) => ({ ...scenario, client: 'ideal' }));
  const results = await playAll([...scenarios, ...ideals]);
  const lines = results.slice(0, scenarios.length).map((result, index) => {
    const line = lineOf(result, results[scenarios.length + index].makespan);
    return result.client === OWN ? { ...line, missed: missed(line, `${result.workers} ${result.limits}`) } : line;
  });
  return {
    name: 'fleet: many jobs on one endpoint, in virtual time',
    ok: lines.every((line) => !line.missed?.length),
    asked: { finished: 'all', refused: 0, timesIdeal: MAKESPAN, ...ASKED },
    lines,
  };
}

/** A client's figures as they are shown: seconds, and requests for each job. */
export function lineOf(result, idealMakespan) {
  const { client, workers, limits, window, inFlight, jobs } = result;
  return {
    client,
    workers,
    limits,
    window,
    inFlight: inFlight ?? 'all',
    jobs,
    finished: result.finished,
    lost: result.lost,
    // The ideal client finds by refusals the moment when it may submit, so they do not count.
    refused: client === 'ideal' ? 0 : result.refused,
    statusPerJob: round(result.statusPerJob),
    notice: round(result.meanNotice),
    noticeP95: round(result.p95Notice),
    makespan: round(result.makespan, 1),
    timesIdeal: round(result.makespan / idealMakespan, 3),
    cpu: round(result.cpu, 1),
    ...(result.submitted !== undefined && { submitted: result.submitted }),
    ...(result.errors && { errors: result.errors }),
  };
}

/** The columns in which a line of this client is worse than asked. */
function missed(line, setting) {
  const { notice, statusPerJob = Infinity } = ASKED[setting];
  return [
    line.finished === line.jobs ? '' : 'finished',
    line.submitted === undefined ? '' : 'submitted',
    line.refused === 0 ? '' : 'refused',
    line.notice <= notice ? '' : 'notice',
    line.statusPerJob <= statusPerJob ? '' : 'statusPerJob',
    line.timesIdeal <= MAKESPAN ? '' : 'timesIdeal',
  ].filter(Boolean);
}

function isHeavy(client, { inFlight }) {
  return client === 'a poll each 0.5 s' && inFlight === undefined;
}
