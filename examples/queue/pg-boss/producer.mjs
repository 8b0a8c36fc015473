/** Adds jobs to the queue, and waits for them. */
import { setTimeout as pause } from 'node:timers/promises';
import { boss, QUEUE } from './settings.mjs';

const things = ['a lighthouse', 'a harbour', 'a storm', 'an island', 'a gull', 'a wreck'];
const jobs = Array.from({ length: 24 }, (_, index) => ({
  // A producer that is started again adds no job twice.
  id: `${String(index + 1).padStart(8, '0')}-0000-4000-8000-000000000000`,
  name: QUEUE,
  data: { prompt: things[index % 6] },
}));

await boss.insert(jobs);
console.log(`${jobs.length} jobs added`);

for (let last = 0; last < jobs.length; await pause(250)) {
  const states = (await Promise.all(jobs.map(({ id }) => boss.getJobById(QUEUE, id)))).map((job) => job?.state);
  const completed = states.filter((state) => state === 'completed').length;
  const failed = states.filter((state) => state === 'failed').length;
  if (completed + failed > last)
    console.log(`${completed} of ${jobs.length} done${failed ? `, ${failed} failed` : ''}`);
  last = completed + failed;
}
process.exit(0);
