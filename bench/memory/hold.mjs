/**
 * `hold.mjs what jobs`: what a client keeps for each job while it waits between two polls, in bytes of heap after a forced
 * collection; its inputs were there before. In virtual time, so that what the timers of Node take is not in it.
 */
import { createRunpod } from 'runpod-rx';
import { HeapScheduler } from '../lib/HeapScheduler.mjs';
import { pipeline } from '../lib/pipeline.mjs';
import { service } from './service.mjs';

const [what, count] = process.argv.slice(2);
const jobs = Number(count);
const scheduler = new HeapScheduler(1_000);
const client = createRunpod({
  transport: service(scheduler, () => false),
  baseUrl: 'http://localhost/v2',
  scheduler,
  // All of them in flight, rather than most of them waiting for their turn.
  limits: false,
});
const endpoint = client.endpoint('demo');
const requests = Array.from({ length: jobs }, (_, index) => ({ input: { index } }));

const used = () => {
  globalThis.gc();
  globalThis.gc();
  return process.memoryUsage().heapUsed;
};

// One of each, so that what is there once is there already.
const warm = what === 'runAll' ? pipeline(endpoint, requests.slice(0, 10), 10) : endpoint.job(requests[0]).output$;
const warmed = warm.subscribe();
scheduler.flush(undefined, 11_000);
const before = used();
const held =
  what === 'runAll'
    ? [pipeline(endpoint, requests, jobs).subscribe()]
    : requests.map((request) => endpoint.job(request).output$.subscribe());
// Between two polls; they have all been read a few times.
scheduler.flush(undefined, 15_000);
const after = used();
process.send({ bytesPerJob: (after - before) / jobs, held: held.length + (warmed.closed ? 1 : 0) });
process.disconnect();
