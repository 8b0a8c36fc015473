import { round } from '../lib/round.mjs';

/** A client's figures as they are shown: seconds, and requests for each job. */
export function lineOf(result, idealMakespan) {
  const { client, workers, limits, window, inFlight, jobs, gateway, median } = result;
  return {
    client,
    workers,
    limits,
    window,
    inFlight: inFlight ?? 'all',
    ...(median !== undefined && { median }),
    ...(gateway !== undefined && { gateway }),
    jobs,
    finished: result.finished,
    lost: result.lost,
    // The ideal client finds by refusals the moment when it may submit, so they do not count.
    refused: client === 'ideal' ? 0 : result.refused,
    readsPerJob: round(result.readsPerJob),
    notice: round(result.meanNotice, 3),
    noticeP95: round(result.p95Notice, 3),
    makespan: round(result.makespan, 1),
    ...(idealMakespan !== undefined && { timesIdeal: round(result.makespan / idealMakespan, 3) }),
    cpu: round(result.cpu, 1),
    ...(result.submitted !== undefined && { submitted: result.submitted }),
    ...(result.errors && { errors: result.errors }),
  };
}
