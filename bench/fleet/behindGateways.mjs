/** This client where held reads do not work as they should, compared with the same client when it holds none. */
import { round } from '../lib/round.mjs';
import { lineOf } from './lineOf.mjs';
import { missed } from './missed.mjs';
import { playAll } from './playAll.mjs';

/** The most that notice and reads may be, as multiples of those of plain reads. */
export const ASKED = { noticeTimesPlain: 1.1, readsTimesPlain: 1.1 };

const worldOf = (workers, jobs) => ({ jobs, workers, limits: 'base', window: 'sliding', inFlight: workers * 1.5 });

/** Each gateway that interferes with held reads as this client makes them by default. */
export function behindGateways({ quick }) {
  const names = ['refused', 'at once', 'cut after 3 s', 'silent'];
  return comparedWithPlain(
    (quick ? [100] : [100, 300, 1_000]).flatMap((workers) => [
      { client: 'runpod-rx, plain reads', ...worldOf(workers, 10_000) },
      ...names.map((gateway) => ({ client: 'runpod-rx', ...worldOf(workers, 10_000), gateway })),
    ]),
  );
}

/** Jobs of two minutes behind a proxy that cuts at one, with holds that are shorter than that, and with longer ones. */
export function longJobs({ quick }) {
  return comparedWithPlain(
    (quick ? [100] : [100, 300, 1_000]).flatMap((workers) => {
      const world = { ...worldOf(workers, workers * 5), median: 120_000 };
      return [
        { client: 'runpod-rx, plain reads', ...world },
        { client: 'runpod-rx', ...world, gateway: 'cut after 60 s' },
        { client: 'runpod-rx, held for 90 s', ...world, gateway: 'cut after 60 s' },
      ];
    }),
  );
}

/** The lines of scenarios. Those without a gateway are plain reads; the scenarios that follow are compared with them. */
async function comparedWithPlain(scenarios) {
  let plain;
  return (await playAll(scenarios)).map((result) => {
    const { gateway = 'none', meanNotice, readsPerJob } = result;
    if (gateway === 'none') plain = result;
    const line = {
      ...lineOf({ ...result, gateway }),
      noticeTimesPlain: round(meanNotice / plain.meanNotice),
      readsTimesPlain: round(readsPerJob / plain.readsPerJob),
    };
    return { ...line, missed: missed(line, ASKED) };
  });
}
