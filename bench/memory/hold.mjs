/**
 * `hold.mjs what jobs`: how many bytes of heap a client keeps for each job between two polls, after a forced garbage
 * collection. The inputs are not counted, since they exist before; nor are Node's timers, since time is virtual.
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
  // All jobs are in flight; under limits most of them would wait for their turn.
  limits: false,
});
const endpoint = client.endpoint('demo');
const requests = Array.from({ length: jobs }, (_, index) => ({ input: { index } }));

const used = () => {
  globalThis.gc();
  globalThis.gc();
  return process.memoryUsage().heapUsed;
};

// A warm-up, so that what exists once for all jobs exists before the first measurement.
const warm = what === 'runAll' ? pipeline(endpoint, requests.slice(0, 10), 10) : endpoint.job(requests[0]).output$;
const warmed = warm.subscribe();
scheduler.flush(undefined, 11_000);
const before = used();
const held =
  what === 'runAll'
    ? [pipeline(endpoint, requests, jobs).subscribe()]
    : requests.map((request) => endpoint.job(request).output$.subscribe());
// This ends between two polls. Every job has been read a few times.
scheduler.flush(undefined, 15_000);
const after = used();
process.send({ bytesPerJob: (after - before) / jobs, held: held.length + (warmed.closed ? 1 : 0) });
process.disconnect();
