/**
 * How the cost of one job grows with the number of jobs: its requests and its CPU among 1,000, 10,000 and 100,000 jobs. The
 * emulator's CPU is included.
 */
import { lineOf } from './fleet/lineOf.mjs';
import { playAll } from './fleet/playAll.mjs';
import { round } from './lib/round.mjs';

/** What a job may cost among many, as a multiple of its cost among 1,000. CPU gets more, since its measure is not exact. */
const ASKED = { requests: 1.1, cpu: 1.25 };

/** @returns {Promise<import('./measure.mjs').Measurement>} */
export async function growth({ quick = false } = {}) {
  const sizes = quick ? [1_000, 10_000] : [1_000, 10_000, 100_000];
  const world = { workers: 100, limits: 'base', window: 'sliding', inFlight: 150 };
  const scenarios = sizes.map((jobs) => ({ client: 'runpod-rx', jobs, ...world }));
  const results = await playAll([...scenarios, ...scenarios.map((scenario) => ({ ...scenario, client: 'ideal' }))]);
  const first = results[0];
  const lines = results.slice(0, sizes.length).map((result, index) => {
    const { jobs, requests, cpu, finished, refused } = result;
    const requestsTimes = requests / jobs / (first.requests / first.jobs);
    const cpuTimes = cpu / jobs / (first.cpu / first.jobs);
    return {
      ...lineOf(result, results[sizes.length + index].makespan),
      requestsPerJob: round(requests / jobs),
      cpuMsPerJob: round((cpu / jobs) * 1_000),
      requestsTimes: round(requestsTimes),
      cpuTimes: round(cpuTimes),
      ok: finished === jobs && refused === 0 && requestsTimes <= ASKED.requests && cpuTimes <= ASKED.cpu,
    };
  });
  return {
    name: 'growth: what a job costs among ever more',
    ok: lines.every(({ ok }) => ok),
    asked: ASKED,
    lines,
  };
}
