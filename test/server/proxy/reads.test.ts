import { VirtualTimeScheduler } from 'rxjs';
import { expect, test } from 'vitest';
import { proxied, service } from './support.js';

const submission = { body: { input: { a: 1 } } };
const queued = { json: { id: 'job-1', status: 'IN_QUEUE' } };
const running = { json: { id: 'job-1', status: 'IN_PROGRESS' } };
const completed = { json: { id: 'job-1', status: 'COMPLETED', output: 1 } };

/** Lets time pass, and everything that waits for promises go on. */
async function pass(scheduler: VirtualTimeScheduler, ms: number): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  scheduler.schedule(() => undefined, ms);
  scheduler.maxFrames = scheduler.frame + ms;
  scheduler.flush();
  await new Promise((resolve) => setImmediate(resolve));
}

/** A proxy in virtual time with a job, of which nothing is answered but the submission. */
async function withJob() {
  const scheduler = new VirtualTimeScheduler();
  const world = service((_, line) => (line === 'POST /demo/run' ? queued : undefined));
  const site = proxied(world.transport, { client: { scheduler, random: () => 0.5 }, scheduler });
  await site.ask('POST demo/run', submission);
  return { ...world, ...site, scheduler };
}

test('S30 pages that ask at the same time share one read', async () => {
  const { ask, next, lines } = await withJob();
  const answers = Array.from({ length: 50 }, () => ask('GET demo/status/job-1'));
  (await next(/status/)).answer(running);
  expect(await Promise.all(answers.map(async (answer) => (await (await answer).json()) as unknown))).toEqual(
    Array.from({ length: 50 }, () => running.json),
  );
  expect(lines()).toEqual(['POST /demo/run', 'GET /demo/status/job-1']);
});

test('S30 a page whose read waits for longer than a second gets the last known state', async () => {
  const { ask, scheduler, lines } = await withJob();
  let answered: Response | undefined;
  void ask('GET demo/status/job-1').then((answer) => (answered = answer));
  await pass(scheduler, 999);
  expect(answered).toBeUndefined();
  await pass(scheduler, 1);
  expect(await answered?.json()).toEqual(queued.json);
  expect(lines()).toEqual(['POST /demo/run', 'GET /demo/status/job-1']);
});

test('a page that asks for a job whose end is known is answered without a read, until the job is run again', async () => {
  const { ask, asked, next, lines } = await withJob();
  const first = ask('GET demo/status/job-1');
  (await next(/status/)).answer(completed);
  await first;
  expect(await (await ask('GET demo/status/job-1')).json()).toEqual(completed.json);
  expect(lines()).toHaveLength(2);
  const again = ask('POST demo/retry/job-1');
  (await next(/retry/)).answer(queued);
  await again;
  const read = ask('GET demo/status/job-1');
  while (asked.length < 4) await new Promise((resolve) => setImmediate(resolve));
  asked[3]?.answer(running);
  expect(await (await read).json()).toEqual(running.json);
});

test.each(['FAILED', 'TIMED_OUT'])(
  'a job that has %s is read anew, since others may have run it again',
  async (status) => {
    let current: object = { id: 'job-1', status };
    const world = service((_, line) => {
      if (line === 'POST /demo/run') return queued;
      return line.includes('retry') ? { status: 502, text: 'lost' } : { json: current };
    });
    const { ask } = proxied(world.transport);
    const read = async (line: string) => (await (await ask(line)).json()) as unknown;
    await ask('POST demo/run', submission);
    expect(await read('GET demo/status/job-1')).toEqual(current);
    expect((await ask('POST demo/retry/job-1')).status).toBe(502);
    current = { id: 'job-1', status: 'COMPLETED', output: 1 };
    expect(await read('GET demo/status-sync/job-1')).toEqual(current);
  },
);

test('a page that comes back waits no longer for a job that has ended meanwhile', async () => {
  const { ask, scheduler, lines, next, asked } = await withJob();
  const read = ask('GET demo/status/job-1');
  (await next(/status/)).answer(queued);
  await read;
  await pass(scheduler, 50_000);
  const held = ask('GET demo/status-sync/job-1');
  await pass(scheduler, 0);
  expect(lines()).toEqual(['POST /demo/run', 'GET /demo/status/job-1', 'GET /demo/status/job-1']);
  asked[2]?.answer(completed);
  expect(await (await held).json()).toEqual(completed.json);
});

test('a held read whose time is up gives the state of the job', async () => {
  const { ask, asked, scheduler } = await withJob();
  let answered: Response | undefined;
  void ask('GET demo/status-sync/job-1?wait=20000').then((answer) => (answered = answer));
  await pass(scheduler, 19_999);
  for (const one of asked.slice(1)) if (!one.aborted) one.answer(running);
  expect(answered).toBeUndefined();
  await pass(scheduler, 1);
  asked.at(-1)?.answer(running);
  await pass(scheduler, 0);
  expect(await answered?.json()).toEqual(running.json);
});

test('a read that fails is told with its reason; one of a job that is gone is 404', async () => {
  const world = service((_, line) => {
    if (line === 'POST /demo/run') return queued;
    return { status: 404, text: '{"error":"job not found"}' };
  });
  const owners = { set: () => undefined, get: () => 'ann' };
  const { ask } = proxied(world.transport, { owners });
  const answer = await ask('GET demo/status/old');
  expect([answer.status, await answer.json()]).toEqual([404, { error: 'job not found' }]);
  const held = await ask('GET demo/status-sync/old?wait=1000');
  expect(held.status).toBe(404);
});

test('the health is read once a second, however many pages ask', async () => {
  const scheduler = new VirtualTimeScheduler();
  const world = service(() => ({ text: '{"jobs":{},"workers":{}}' }));
  const { ask } = proxied(world.transport, { scheduler });
  for (let page = 0; page < 10; page++) expect((await ask('GET demo/health')).status).toBe(200);
  expect(world.lines()).toHaveLength(1);
  await pass(scheduler, 1_000);
  expect((await ask('GET demo/health')).status).toBe(200);
  expect(world.lines()).toHaveLength(2);
});
