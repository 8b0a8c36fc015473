import { VirtualTimeScheduler } from 'rxjs';
import { expect, test } from 'vitest';
import { proxied, service } from './support.js';

const submission = { body: { input: { a: 1 } } };

/** A service that accepts every job, and says of a job what the test last set. */
function jobs() {
  const over = new Set<string>();
  let count = 0;
  const world = service((_, line) => {
    if (line === 'POST /demo/run') return { json: { id: `job-${++count}`, status: 'IN_QUEUE' } };
    const id = line.replace(/.*\//, '');
    return { json: over.has(id) ? { id, status: 'COMPLETED', output: 1 } : { id, status: 'IN_PROGRESS' } };
  });
  return { ...world, over };
}

test('a user has so many jobs at once, and another user his own', async () => {
  const world = jobs();
  const { ask } = proxied(world.transport, { demo: { quota: { jobs: 2 } } });
  const answers = await Promise.all([1, 2, 3].map(() => ask('POST demo/run', submission)));
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 429]);
  expect(Number(answers.find(({ status }) => status === 429)?.headers.get('retry-after'))).toBeGreaterThan(0);
  expect((await ask('POST demo/run', { ...submission, user: 'bob' })).status).toBe(200);
  expect((await ask('POST demo/run', submission)).status).toBe(429);
  world.over.add('job-1');
  expect((await ask('POST demo/run', submission)).status).toBe(200);
  expect((await ask('POST demo/run', submission)).status).toBe(429);
});

test('a submission that was refused does not count as a job', async () => {
  const world = service((_, line) => (line === 'POST /demo/run' ? { status: 400, text: '{"error":"no"}' } : undefined));
  const { ask } = proxied(world.transport, { demo: { quota: { jobs: 1 } } });
  for (let round = 0; round < 3; round++) expect((await ask('POST demo/run', submission)).status).toBe(400);
});

test('a user submits so many jobs a minute', async () => {
  const world = jobs();
  const scheduler = new VirtualTimeScheduler();
  const pass = (ms: number) => {
    scheduler.schedule(() => undefined, ms);
    scheduler.flush();
  };
  const { ask } = proxied(world.transport, { demo: { quota: { perMinute: 2 } }, scheduler });
  expect((await ask('POST demo/run', submission)).status).toBe(200);
  pass(20_000);
  expect((await ask('POST demo/run', submission)).status).toBe(200);
  const refused = await ask('POST demo/run', submission);
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '40']);
  pass(40_000);
  expect((await ask('POST demo/run', submission)).status).toBe(200);
  expect((await ask('POST demo/run', submission)).status).toBe(429);
});
