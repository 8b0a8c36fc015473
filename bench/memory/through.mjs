/**
 * `through.mjs inputs concurrency`: sends a number of inputs through `runAll`, and measures how many inputs it took ahead
 * and how large the heap was after each tenth.
 */
import { createRunpod } from 'runpod-rx';
import { HeapScheduler } from '../lib/HeapScheduler.mjs';
import { pipeline } from '../lib/pipeline.mjs';
import { service } from './service.mjs';

const [inputs, concurrency] = process.argv.slice(2).map(Number);
const scheduler = new HeapScheduler(1_000);
const client = createRunpod({
  transport: service(scheduler, (age) => age >= 400),
  baseUrl: 'http://localhost/v2',
  scheduler,
  limits: false,
});

let taken = 0;
let done = 0;
let ahead = 0;
const heap = [];
function* requests() {
  for (let index = 0; index < inputs; index += 1) {
    taken += 1;
    ahead = Math.max(ahead, taken - done);
    yield { input: { index } };
  }
}
pipeline(client.endpoint('demo'), requests(), concurrency).subscribe({
  next: (item) => {
    if (!item.ok) throw item.error;
    done += 1;
    if (done % (inputs / 10) !== 0) return;
    globalThis.gc();
    heap.push(process.memoryUsage().heapUsed);
  },
  error: (error) => {
    throw error;
  },
});
const cpu = process.cpuUsage();
scheduler.flush(() => done >= inputs);
const { user, system } = process.cpuUsage(cpu);
process.send({ done, ahead, heap, cpuMicroseconds: (user + system) / inputs });
process.disconnect();
