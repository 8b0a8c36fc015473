/** Takes jobs of the queue: each becomes a job of the endpoint. Start as many as you like, anywhere, and kill them as you like. */
import { runpod } from 'runpod-rx';
import { createWorker } from 'runpod-rx/pg-boss';
import { boss, ENDPOINT_ID, QUEUE, webhooks } from './settings.mjs';

const endpoint = runpod().endpoint(ENDPOINT_ID);
const worker = createWorker(boss, QUEUE, endpoint, {
  webhooks,
  // A worker that is killed right before it sends a job leaves one whose webhook never comes: it fails after this time.
  grace: 15_000,
  concurrency: 4,
  // Faster than by default, so that you need not wait long for the jobs of a worker that you have killed.
  heartbeat: 1_000,
  lease: 5_000,
});

const running = worker.events$.subscribe({
  next: (event) => {
    const id = event.job.id.slice(0, 8);
    if (event.type === 'completed') console.log(`✓ ${id} ${event.output.text}`);
    else console.log(`✗ ${id} ${event.type === 'failed' ? event.error.message : event.type}`);
  },
  error: console.error,
});
process.once('SIGTERM', () => {
  running.unsubscribe();
  worker.settled().subscribe({ complete: () => process.exit(0) });
});
