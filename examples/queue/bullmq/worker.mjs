/** Takes jobs of the queue: each becomes a job of the endpoint. Start as many as you like, anywhere, and kill them as you like. */
import { Worker } from 'bullmq';
import { runpod } from 'runpod-rx';
import { createProcessor, workerOptions } from 'runpod-rx/bullmq';
import { ENDPOINT_ID, QUEUE, redis, webhooks } from './settings.mjs';

const endpoint = runpod().endpoint(ENDPOINT_ID);
// A worker that is killed right before it sends a job leaves one whose webhook never comes: it fails after this time.
const processor = createProcessor(endpoint, { redis, webhooks, grace: 15_000 });
const worker = new Worker(QUEUE, processor, {
  connection: redis,
  concurrency: 4,
  ...workerOptions,
  // Six times as fast as BullMQ's own, so that you need not wait long for the jobs of a worker that you have killed.
  lockDuration: 5_000,
  stalledInterval: 2_500,
});
processor.watch(worker);

worker.on('completed', ({ id }, { text }) => console.log(`✓ ${id} ${text}`));
worker.on('failed', (job, { message }) => console.log(`✗ ${job?.id} ${message}`));
worker.on('error', ({ message }) => console.log(message));
process.once('SIGTERM', () => void worker.close().then(() => process.exit(0)));
