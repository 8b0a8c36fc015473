import { NEVER, Subject, concat, firstValueFrom, of } from 'rxjs';
import { beforeEach, expect, test, vi } from 'vitest';
import { vouchedNotice } from 'runpod-rx';
import { proxied, service } from './support.js';

const owners = { set: () => undefined, get: () => 'ann' };
const submission = { method: 'POST', headers: { 'x-user': 'ann', 'content-type': 'application/json' } };
const JOB = { json: { id: 'job-1', status: 'IN_QUEUE' } };

beforeEach(() => {
  vi.stubGlobal('navigator', { userAgent: 'Cloudflare-Workers' });
});

/** A request to `/run`, whose page leaves before the answer; and whether the platform may end what it has begun. */
function leftDuringRun(options: Parameters<typeof proxied>[1]) {
  const world = service((_, line) =>
    line.includes('cancel') ? { json: { id: 'job-1', status: 'CANCELLED' } } : undefined,
  );
  const { handler } = proxied(world.transport, options);
  const leaving = new AbortController();
  const kept: Promise<unknown>[] = [];
  let over = false;
  const request = new Request('https://app.example/api/runpod/demo/run', {
    ...submission,
    body: '{"input":{"a":1}}',
    signal: leaving.signal,
  });
  const answer = handler(request, { waitUntil: (work) => kept.push(work) });
  // The platform knows of the work before the page can leave.
  expect(kept).toHaveLength(1);
  void Promise.all(kept).then(() => (over = true));
  return { ...world, answer, leave: () => leaving.abort(), isOver: () => over };
}

const pause = () => new Promise((resolve) => setTimeout(resolve, 10));

test('a worker goes on until the job of a page that has left is cancelled', async () => {
  const { next, answer, leave, isOver, lines } = leftDuringRun({ owners });
  const sent = await next('POST /demo/run');
  leave();
  expect((await answer).status).toBe(499);
  await pause();
  expect(isOver()).toBe(false);
  sent.answer(JOB);
  await expect.poll(isOver).toBe(true);
  expect(lines()).toEqual(['POST /demo/run', 'POST /demo/cancel/job-1']);
});

test('a worker goes on until a job that is detached has its owner', async () => {
  const kept$ = new Subject<void>();
  const { next, answer, leave, isOver, lines } = leftDuringRun({
    owners: { ...owners, set: () => kept$ },
    onDisconnect: 'detach',
  });
  const sent = await next('POST /demo/run');
  leave();
  expect((await answer).status).toBe(499);
  sent.answer(JOB);
  await pause();
  expect(isOver()).toBe(false);
  kept$.next();
  await expect.poll(isOver).toBe(true);
  expect(lines()).toEqual(['POST /demo/run']);
});

test('a client of one request has no notices: what comes with another request must not answer this one', async () => {
  const world = service(() => JOB);
  const told = vouchedNotice({ id: 'job-1', status: 'COMPLETED', output: 1 });
  const { client } = proxied(world.transport, { client: { notices: concat(of(told), NEVER) } });
  const read = (one: typeof client) => firstValueFrom(one.endpoint('demo').watch('job-1'));
  expect((await read(client)).status).toBe('COMPLETED');
  expect((await read(client.isolated())).status).toBe('IN_QUEUE');
});
