import { AsyncSubject, Subject, firstValueFrom, lastValueFrom } from 'rxjs';
import { expect, test, vi } from 'vitest';
import { pageRequest, proxied, service } from './support.js';

const JOB = { json: { id: 'job-1', status: 'IN_QUEUE' } };
const cancelled = (line: string) => ({ json: { id: line.replace(/.*\//, ''), status: 'CANCELLED' } });
const submission = { body: { input: { a: 1 } } };

test.each(['POST demo/run', 'POST demo/runsync', 'POST demo/retry/job-0'])(
  'S29 a page that leaves during %s has its job cancelled, once',
  async (line) => {
    const world = service((_, asked) => (asked.includes('cancel') ? cancelled(asked) : undefined));
    const owners = { set: () => undefined, get: () => 'ann' };
    const { ask, client } = proxied(world.transport, { owners });
    const aborting = new AbortController();
    const answer = ask(line, { ...submission, signal: aborting.signal });
    const sent = await world.next(/run|retry/);
    aborting.abort();
    expect((await answer).status).toBe(499);
    expect(sent.aborted).toBe(false);
    sent.answer({ json: { id: line.includes('retry') ? 'job-0' : 'job-1', status: 'IN_QUEUE' } });
    await firstValueFrom(client.settled());
    const cancels = world.lines().filter((asked) => asked.includes('cancel'));
    expect(cancels).toEqual([line.includes('retry') ? 'POST /demo/cancel/job-0' : 'POST /demo/cancel/job-1']);
  },
);

test('a page that leaves while /runsync waits for the end has its job cancelled', async () => {
  const world = service((_, asked) => {
    if (asked === 'POST /demo/run') return JOB;
    return asked.includes('cancel') ? cancelled(asked) : undefined;
  });
  const { ask, client } = proxied(world.transport);
  const aborting = new AbortController();
  const answer = ask('POST demo/runsync', { ...submission, signal: aborting.signal });
  await world.next(/status/);
  aborting.abort();
  expect((await answer).status).toBe(499);
  await firstValueFrom(client.settled());
  expect(world.lines().filter((asked) => asked.includes('cancel'))).toEqual(['POST /demo/cancel/job-1']);
});

test('a page that leaves before its job was sent has none', async () => {
  const world = service(() => JOB);
  const checked = new Subject<object>();
  const checking = new AsyncSubject<void>();
  const input = () => {
    checking.complete();
    return checked;
  };
  const { ask, client } = proxied(world.transport, { demo: { input } });
  const aborting = new AbortController();
  const answer = ask('POST demo/run', { ...submission, signal: aborting.signal });
  await lastValueFrom(checking, { defaultValue: undefined });
  aborting.abort();
  expect((await answer).status).toBe(499);
  checked.next({ a: 1 });
  await firstValueFrom(client.settled());
  expect(world.lines()).toEqual([]);
});

test('by detach, a job goes on without the page, and is its user’s', async () => {
  const world = service();
  const { ask, client } = proxied(world.transport, { onDisconnect: 'detach' });
  const aborting = new AbortController();
  const answer = ask('POST demo/run', { ...submission, signal: aborting.signal });
  const sent = await world.next('POST /demo/run');
  aborting.abort();
  expect((await answer).status).toBe(499);
  sent.answer(JOB);
  await firstValueFrom(client.settled());
  const read = ask('GET demo/status/job-1');
  (await world.next(/status/)).answer({ json: { id: 'job-1', status: 'IN_PROGRESS' } });
  expect((await read).status).toBe(200);
  expect(world.lines()).toEqual(['POST /demo/run', 'GET /demo/status/job-1']);
});

test('S6 a page that leaves while its job is being cancelled has it cancelled until that is confirmed', async () => {
  const world = service((_, asked) => (asked === 'POST /demo/run' ? JOB : undefined));
  const { ask, client } = proxied(world.transport);
  await ask('POST demo/run', submission);
  const aborting = new AbortController();
  const answer = ask('POST demo/cancel/job-1', { signal: aborting.signal });
  await world.next(/cancel/);
  aborting.abort();
  expect((await answer).status).toBe(499);
  const settled = firstValueFrom(client.settled());
  const cancels = () => world.asked.filter(({ line, aborted }) => line.includes('cancel') && !aborted);
  await expect.poll(cancels).toHaveLength(1);
  cancels()[0]!.answer({ status: 503, text: 'unavailable' });
  await expect.poll(cancels).toHaveLength(2);
  cancels()[1]!.answer(cancelled('job-1'));
  expect(await settled).toMatchObject({ cancelled: [{ id: 'job-1' }] });
});

test.each(['before its request is looked at', 'before its user is known', 'before the owner of the job is known'])(
  'S6 a page that leaves %s has its job cancelled all the same',
  async (when) => {
    const world = service((_, asked) => (asked.includes('cancel') ? cancelled(asked) : undefined));
    const [user, owner] = [new AsyncSubject<string>(), new AsyncSubject<string>()];
    const { ask, client } = proxied(world.transport, {
      user: () => user,
      owners: { set: () => undefined, get: () => owner },
    });
    const aborting = new AbortController();
    if (when.includes('request')) aborting.abort();
    const answer = ask('POST demo/cancel/job-1', { signal: aborting.signal });
    if (when.includes('user')) aborting.abort();
    user.next('ann');
    user.complete();
    aborting.abort();
    owner.next('ann');
    owner.complete();
    expect((await answer).status).toBe(499);
    expect(await firstValueFrom(client.settled())).toMatchObject({ cancelled: [{ id: 'job-1' }] });
    expect(world.lines()).toEqual(['POST /demo/cancel/job-1']);
  },
);

test('a page that leaves cancels no job of another user', async () => {
  const world = service((_, asked) => cancelled(asked));
  const user = new AsyncSubject<string>();
  const owners = { set: () => undefined, get: () => 'bob' };
  const { ask, client } = proxied(world.transport, { user: () => user, owners });
  const aborting = new AbortController();
  const answer = ask('POST demo/cancel/job-1', { signal: aborting.signal });
  aborting.abort();
  user.next('ann');
  user.complete();
  await answer;
  await firstValueFrom(client.settled());
  expect(world.lines()).toEqual([]);
});

test('a cancel that was answered is not sent again', async () => {
  const world = service((_, asked) => (asked === 'POST /demo/run' ? JOB : cancelled(asked)));
  const { ask, client } = proxied(world.transport);
  await ask('POST demo/run', submission);
  expect((await ask('POST demo/cancel/job-1')).status).toBe(200);
  await firstValueFrom(client.settled());
  expect(world.lines()).toEqual(['POST /demo/run', 'POST /demo/cancel/job-1']);
});

test('an owner that cannot be kept has the job cancelled: no page could reach it', async () => {
  const world = service((_, asked) => (asked.includes('cancel') ? cancelled(asked) : JOB));
  const owners = { set: () => Promise.reject(new Error('down')), get: () => undefined };
  const { ask, client } = proxied(world.transport, { owners });
  const answer = await ask('POST demo/run', submission);
  expect(answer.status).toBe(500);
  await firstValueFrom(client.settled());
  expect(world.lines()).toEqual(['POST /demo/run', 'POST /demo/cancel/job-1']);
});

test('a signal that is aborted after the answer has no effect', async () => {
  const world = service(() => JOB);
  const { ask, client } = proxied(world.transport);
  for (let round = 0; round < 100; round++) {
    const aborting = new AbortController();
    expect((await ask('POST demo/run', { ...submission, signal: aborting.signal })).status).toBe(200);
    aborting.abort();
  }
  expect(await firstValueFrom(client.settled())).toMatchObject({ cancelled: [] });
  expect(world.lines()).toHaveLength(100);
});

test('Cloudflare Workers are asked to wait for the cancel before the page has left', async () => {
  vi.stubGlobal('navigator', { userAgent: 'Cloudflare-Workers' });
  const world = service((_, asked) => (asked.includes('cancel') ? cancelled(asked) : undefined));
  const { handler } = proxied(world.transport);
  // As a platform's own: it must be called as a method.
  class Platform {
    readonly works: Promise<unknown>[] = [];
    waitUntil(work: Promise<unknown>): void {
      this.works.push(work);
    }
  }
  const platform = new Platform();
  const aborting = new AbortController();
  const answer = handler(pageRequest('POST demo/run', { ...submission, signal: aborting.signal }), platform);
  expect(platform.works).toHaveLength(1);
  const sent = await world.next('POST /demo/run');
  aborting.abort();
  await answer;
  sent.answer(JOB);
  await platform.works[0];
  expect(world.lines()).toEqual(['POST /demo/run', 'POST /demo/cancel/job-1']);
});

test('a page that gives up a held read leaves its job, and the other pages, alone', async () => {
  const world = service((_, asked) => (asked === 'POST /demo/run' ? JOB : undefined));
  const { ask } = proxied(world.transport);
  await ask('POST demo/run', submission);
  const aborting = new AbortController();
  const first = ask('GET demo/status-sync/job-1', { signal: aborting.signal });
  const second = ask('GET demo/status-sync/job-1');
  const read = await world.next(/status/);
  aborting.abort();
  expect((await first).status).toBe(499);
  read.answer({ json: { id: 'job-1', status: 'COMPLETED', output: 1 } });
  expect(await (await second).json()).toMatchObject({ status: 'COMPLETED' });
  expect(world.lines()).toEqual(['POST /demo/run', 'GET /demo/status/job-1']);
});
