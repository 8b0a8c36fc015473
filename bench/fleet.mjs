/**
 * Many jobs on one endpoint, in virtual time: how soon a client knows that a job is over, what it asks for that, and how
 * long all takes. The emulator enforces the documented limits; requests take 40 ms, give or take 20; jobs execute for a
 * log-normal time with a median of 8 s. This client stands beside what is written without it, and beside the ideal.
 */
import { playAll } from './fleet/playAll.mjs';
import { round } from './lib/round.mjs';

const OWN = 'runpod-rx';
const OTHERS = ['a poll each 5 s', 'a poll each 0.5 s', 'a status-sync loop'];

/** What is asked of this client, by the endpoint it works with. */
const ASKED = {
  '100 base': { notice: 0.5, statusPerJob: 12 },
  '1000 base': { notice: 3 },
  '1000 growing': { notice: 0.6 },
};
const MAKESPAN = 1.03;

/**
 * @param {{ quick?: boolean, own?: boolean }} options - `quick`: fewer jobs, and one kind of window; `own`: without the others
 * @returns {Promise<import('./measure.mjs').Measurement>}
 */
export async function fleet({ quick = false, own = false } = {}) {
  // A thousand workers are through with fewer before they have settled down.
  const jobsOf = (workers) => (quick && workers < 1_000 ? 3_000 : 10_000);
  const settings = [
    { workers: 100, limits: 'base' },
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
      // The others are refused so often that half a second each, all at once, would take an hour of computing.
      ...(own || window === 'fixed'
        ? []
        : OTHERS.map((client) => ({ client, ...world, window, ...(isHeavy(client, world) && { jobs: 2_000 }) }))),
    ]),
  );
  // An ideal of their own for those with fewer jobs.
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
    // Of the ideal, refusals are how it finds the very moment that it may submit.
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

/** What a line of this client falls short of. */
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
