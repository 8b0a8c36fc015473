/**
 * Many prompts, fifty at a time, with a progress line and an estimate of the cost:
 *
 *     node prompts.mjs 1000
 */
import { Subject, auditTime, firstValueFrom, takeUntil } from 'rxjs';
import { estimateCost, iterate, runAll, runpod } from 'runpod-rx';

/** What a worker costs in a second, in dollars. The endpoint's page shows it. */
const PRICE = 0.00031;

const client = runpod();
const endpoint = client.endpoint(process.env.ENDPOINT_ID ?? 'my-endpoint');

// Ctrl-C leaves the jobs that run, which cancels them.
const stop$ = new Subject();
process.once('SIGINT', () => stop$.next());

const count = Number(process.argv[2] ?? 1_000);
const requests = Array.from({ length: count }, (_, nth) => ({ input: { prompt: `picture ${nth}` } }));

const totals = new Subject();
totals.pipe(auditTime(500)).subscribe((now) => console.error(progressOf(now)));

let last;
totals.subscribe((now) => (last = now));

const items$ = runAll(endpoint, requests, { concurrency: 50, retry: 3, totals });
try {
  for await (const item of iterate(items$.pipe(takeUntil(stop$)))) {
    if (item.ok) console.log(JSON.stringify(item.output));
    else console.error(`${item.request.input.prompt}: ${item.error.message}`);
  }
  if (last) console.error(progressOf(last));
  if (last?.failed > 0) process.exitCode = 1;
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
totals.complete();

// Waits until the jobs that were left are cancelled.
await firstValueFrom(client.close());

function progressOf(now) {
  const cost = estimateCost(now, { perSecond: PRICE }).toFixed(4);
  return `${now.ended} of ${now.total}, ${now.failed} failed, ${now.rate.toFixed(1)}/s, about $${cost}`;
}
