import { VirtualTimeScheduler, firstValueFrom } from 'rxjs';
import { expect, test } from 'vitest';
import { Quotas } from '../../../src/server/proxy/Quotas.js';
import { settle } from '../events/support.js';
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

test('a submission whose page has left counts until its job is cancelled', async () => {
  const scheduler = new VirtualTimeScheduler();
  const states = new Map<string, object>();
  const world = service((_, line) => {
    if (line === 'POST /demo/run') return undefined;
    const id = line.replace(/.*\//, '');
    if (line.includes('cancel')) states.set(id, { id, status: 'CANCELLED' });
    return { json: states.get(id) };
  });
  const { ask } = proxied(world.transport, { demo: { quota: { jobs: 1 } }, scheduler });
  const runs = () => world.asked.filter(({ line }) => line === 'POST /demo/run');
  const submitAndLeave = async () => {
    const leaving = new AbortController();
    const answer = ask('POST demo/run', { ...submission, signal: leaving.signal });
    await settle();
    leaving.abort();
    return (await answer).status;
  };
  expect(await submitAndLeave()).toBe(499);
  expect([(await ask('POST demo/run', submission)).status, runs().length]).toEqual([429, 1]);
  states.set('job-1', { id: 'job-1', status: 'IN_PROGRESS' });
  runs()[0]!.answer({ json: { id: 'job-1', status: 'IN_QUEUE' } });
  await settle();
  expect(world.lines()).toContain('POST /demo/cancel/job-1');
  // The job is over, so the next one may be submitted. Its answer never comes.
  expect(await submitAndLeave()).toBe(499);
  expect([(await ask('POST demo/run', submission)).status, runs().length]).toEqual([429, 2]);
  scheduler.schedule(() => undefined, 30_000);
  scheduler.flush();
  expect([await submitAndLeave(), runs().length]).toEqual([499, 3]);
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

test('submissions that wait for the same reads are not more than a minute allows', async () => {
  let count = 0;
  const world = service((_, line) =>
    line === 'POST /demo/run' ? { json: { id: `job-${++count}`, status: 'IN_QUEUE' } } : undefined,
  );
  const scheduler = new VirtualTimeScheduler();
  const { ask } = proxied(world.transport, { demo: { quota: { jobs: 3, perMinute: 2 } }, scheduler });
  for (let job = 0; job < 3; job++) {
    expect((await ask('POST demo/run', submission)).status).toBe(200);
    scheduler.schedule(() => undefined, 60_000);
    scheduler.flush();
  }
  const answers = [1, 2, 3].map(() => ask('POST demo/run', submission));
  for (const id of ['job-1', 'job-2', 'job-3'])
    (await world.next(`GET /demo/status/${id}`)).answer({ json: { id, status: 'COMPLETED' } });
  expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 200, 429]);
});

test('users who do not come back are forgotten, also where nobody has read the ends of their jobs', async () => {
  const scheduler = new VirtualTimeScheduler();
  const quotas = new Quotas({ jobs: 1 }, scheduler);
  const lease = (user: string) => firstValueFrom(quotas.lease(user, {} as never));
  for (let user = 0; user < 30_000; user++) (await lease(`early-${user}`)).answered('job');
  expect(quotas.size).toBe(30_000);
  scheduler.schedule(() => undefined, 8 * 86_400_000);
  scheduler.flush();
  for (let user = 0; user < 20_000; user++) (await lease(`late-${user}`)).answered('job');
  expect(quotas.size).toBeLessThanOrEqual(20_000);
});
