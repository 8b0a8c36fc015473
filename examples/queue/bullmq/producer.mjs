/** Adds jobs to the queue, and waits for them. */
import { setTimeout as pause } from 'node:timers/promises';
import { Queue } from 'bullmq';
import { QUEUE, redis } from './settings.mjs';

const things = ['a lighthouse', 'a harbour', 'a storm', 'an island', 'a gull', 'a wreck'];
const jobs = Array.from({ length: 24 }, (_, index) => ({
  name: 'picture',
  data: { prompt: things[index % 6] },
  // A producer that is started again adds no job twice.
  opts: { jobId: `picture-${index + 1}` },
}));

const queue = new Queue(QUEUE, { connection: redis });
await queue.addBulk(jobs);
console.log(`${jobs.length} jobs added`);

for (let last = 0; last < jobs.length; await pause(250)) {
  const { completed = 0, failed = 0 } = await queue.getJobCounts('completed', 'failed');
  if (completed + failed > last)
    console.log(`${completed} of ${jobs.length} done${failed ? `, ${failed} failed` : ''}`);
  last = completed + failed;
}
await queue.obliterate({ force: true });
process.exit(0);
