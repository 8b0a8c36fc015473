/** This client, where the page hears of each end by a webhook and passes it on as a vouched notice. */
import { lineOf } from './lineOf.mjs';
import { missed } from './missed.mjs';
import { playAll } from './playAll.mjs';

/** The most that it may take: seconds, and reads for each job. */
export const ASKED = { notice: 0.05, readsPerJob: 0.2 };

export async function toldByWebhooks({ quick }) {
  const scenarios = (quick ? [1_000] : [100, 300, 1_000]).map((workers) => ({
    client: 'runpod-rx, told by webhooks',
    jobs: 10_000,
    workers,
    limits: 'base',
    window: 'sliding',
    inFlight: workers * 1.5,
  }));
  return (await playAll(scenarios)).map((result) => {
    const line = lineOf(result);
    return { ...line, missed: missed(line, ASKED) };
  });
}
