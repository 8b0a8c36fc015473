import { VirtualTimeScheduler } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { proxied, service } from '../proxy/support.js';
import { listen, made, submission } from './support.js';

describe('a page that is connected', () => {
  test('is told of a job that it submits, and of its end; the service is read once', async () => {
    const { connect, ask, set, wait, reads } = made();
    const page = await connect();
    await ask('POST demo/run', submission);
    await wait(100);
    expect(page.told()).toEqual(['job-1 IN_QUEUE end']);
    set('job-1', { status: 'IN_PROGRESS' });
    await wait(2_000);
    expect(reads()).toHaveLength(2);
    set('job-1', { status: 'COMPLETED', output: 1 });
    await wait(100);
    expect(page.told().slice(1)).toEqual(['job-1 COMPLETED 1 end']);
    expect(reads()).toHaveLength(2);
    const answer = await ask('GET demo/status/job-1');
    expect(await answer.json()).toMatchObject({ status: 'COMPLETED', output: 1 });
    await wait(100_000);
    expect(reads()).toHaveLength(2);
  });

  test('is told of a job that it submitted just before it connected', async () => {
    const { connect, ask, set, wait } = made();
    await ask('POST demo/run', submission);
    await wait(1_000);
    const page = await connect();
    expect(page.told()).toEqual(['job-1 IN_QUEUE end']);
    set('job-1', { status: 'COMPLETED' });
    await wait(10_000);
    expect(page.told().slice(1)).toEqual(['job-1 COMPLETED end']);
  });

  test('is told of a job that it reads, from then on', async () => {
    const { connect, ask, set, wait } = made();
    await ask('POST demo/run', submission);
    await wait(200_000);
    const page = await connect();
    expect(page.told()).toEqual([]);
    await ask('GET demo/status/job-1');
    expect(page.told()).toEqual(['job-1 IN_QUEUE end']);
    set('job-1', { status: 'COMPLETED' });
    await wait(10_000);
    expect(page.told().slice(1)).toEqual(['job-1 COMPLETED end']);
  });

  test('is told of every change once it reads a job again and again', async () => {
    const { connect, ask, set, wait } = made();
    const page = await connect();
    await ask('POST demo/run', submission);
    set('job-1', { status: 'IN_PROGRESS', output: 'a' });
    await ask('GET demo/status/job-1');
    await wait(1_000);
    expect(page.told()).toEqual(['job-1 IN_QUEUE end']);
    const second = await ask('GET demo/status/job-1');
    expect(await second.json()).toMatchObject({ output: 'a' });
    for (const output of ['b', 'c']) {
      await wait(6_000);
      set('job-1', { status: 'IN_PROGRESS', output });
    }
    await wait(6_000);
    set('job-1', { status: 'COMPLETED', output: 'd' });
    await wait(6_000);
    expect(page.told().slice(1)).toEqual([
      'job-1 IN_PROGRESS "a" changes',
      'job-1 IN_PROGRESS "b" changes',
      'job-1 IN_PROGRESS "c" changes',
      'job-1 COMPLETED "d" changes',
    ]);
  });

  test('may read a followed job each half a minute: the service is not asked, and the job is followed to its end', async () => {
    const { connect, ask, set, wait, reads, lines } = made();
    const page = await connect();
    await ask('POST demo/run', submission);
    set('job-1', { status: 'IN_PROGRESS' });
    await wait(2_000);
    const before = reads().length;
    for (let nth = 0; nth < 3; nth++) {
      expect((await ask('GET demo/status/job-1')).status).toBe(200);
      await wait(30_000);
    }
    expect(page.told()).toHaveLength(1);
    expect(lines().filter((line) => line === 'GET /demo/status/job-1').length).toBeLessThanOrEqual(before);
  });

  test('is told of a cancel, and reads no older state after it', async () => {
    const { connect, ask, wait } = made();
    const page = await connect();
    await ask('POST demo/run', submission);
    await wait(100);
    await ask('POST demo/cancel/job-1', { body: {} });
    const read = await ask('GET demo/status/job-1');
    expect(await read.json()).toMatchObject({ status: 'CANCELLED' });
    await wait(1_000);
    expect(page.told().slice(1)).toEqual(['job-1 CANCELLED end']);
  });

  test('is told of a job that is run again', async () => {
    const { connect, ask, set, wait } = made();
    const page = await connect();
    await ask('POST demo/run', submission);
    set('job-1', { status: 'FAILED' });
    await wait(5_000);
    await ask('POST demo/retry/job-1', { body: {} });
    await wait(100);
    set('job-1', { status: 'COMPLETED' });
    await wait(10_000);
    expect(page.told()).toEqual([
      'job-1 IN_QUEUE end',
      'job-1 FAILED end',
      'job-1 IN_QUEUE end',
      'job-1 COMPLETED end',
    ]);
  });

  test('is told of no other user’s jobs', async () => {
    const { connect, ask, set, wait } = made();
    const [ann, bob] = [await connect(), await connect({ user: 'bob' })];
    await ask('POST demo/run', submission);
    expect((await ask('GET demo/status/job-1', { user: 'bob' })).status).toBe(404);
    set('job-1', { status: 'COMPLETED' });
    await wait(10_000);
    expect(ann.told()).toHaveLength(2);
    expect(bob.told()).toEqual([]);
    const again = await connect({ user: 'bob', position: ann.position() });
    expect(again.events.map(({ type }) => type)).toEqual(['hello', 'reset']);
  });

  test('is told where a job cannot be followed any more', async () => {
    const { connect, ask, wait, states } = made();
    const page = await connect();
    await ask('POST demo/run', submission);
    states.set('job-1', { id: 'another' });
    await wait(1_000_000);
    expect(page.told().at(-1)).toBe('job-1 ? nothing');
  });

  test('is only told the name of a job that is large: it reads it, and the service is not asked', async () => {
    const { connect, ask, set, wait, reads } = made();
    const page = await connect();
    await ask('POST demo/run', submission);
    set('job-1', { status: 'COMPLETED', output: 'x'.repeat(100_000) });
    await wait(10_000);
    expect(page.told()).toEqual(['job-1 IN_QUEUE end', 'job-1 ? nothing']);
    const before = reads().length;
    expect((await (await ask('GET demo/status/job-1')).text()).length).toBeGreaterThan(100_000);
    expect(reads()).toHaveLength(before);
  });

  test('has a hundred jobs followed, and reads the others', async () => {
    const { connect, ask, wait } = made();
    const page = await connect();
    for (let nth = 0; nth < 105; nth++) await ask('POST demo/run', submission);
    await wait(10);
    expect(page.told()).toHaveLength(100);
  });
});

describe('what a page reads', () => {
  /** A followed job of a service whose answers the test gives. */
  const followed = async () => {
    const scheduler = new VirtualTimeScheduler();
    const world = service();
    const proxy = proxied(world.transport, { events: true, scheduler, client: { scheduler } });
    await listen(proxy.handler);
    const submitted = proxy.ask('POST demo/run', submission);
    (await world.next('POST /demo/run')).answer({ json: { id: 'job-1', status: 'IN_QUEUE' } });
    await submitted;
    const reads = () => world.lines().filter((line) => line === 'GET /demo/status/job-1').length;
    return { ...world, ...proxy, reads };
  };

  test('is the answer to its submission where it is not connected yet, for less than half a second', async () => {
    const { ask, reads, wait, set } = made();
    await ask('POST demo/run', submission);
    set('job-1', { status: 'IN_PROGRESS' });
    await wait(399);
    expect(await (await ask('GET demo/status/job-1')).json()).toMatchObject({ status: 'IN_QUEUE' });
    expect(reads()).toEqual([]);
    await wait(1);
    expect(await (await ask('GET demo/status/job-1')).json()).toMatchObject({ status: 'IN_PROGRESS' });
  });

  test('is what the service says of a job that was cancelled at once', async () => {
    const { ask } = made();
    await ask('POST demo/run', submission);
    await ask('POST demo/cancel/job-1', { body: {} });
    expect(await (await ask('GET demo/status/job-1')).json()).toMatchObject({ status: 'CANCELLED' });
  });

  test('is what is known, and from its second read on what the service says', async () => {
    const { ask, next, reads } = await followed();
    expect(await (await ask('GET demo/status/job-1')).json()).toMatchObject({ status: 'IN_QUEUE' });
    expect(reads()).toBe(0);
    const second = ask('GET demo/status/job-1');
    (await next('GET /demo/status/job-1')).answer({ json: { id: 'job-1', status: 'IN_PROGRESS' } });
    expect(await (await second).json()).toMatchObject({ status: 'IN_PROGRESS' });
    expect(reads()).toBe(1);
  });

  test('is what the service says once the page has asked for a cancel', async () => {
    const { ask, next } = await followed();
    void ask('POST demo/cancel/job-1', { body: {} });
    await next('POST /demo/cancel/job-1');
    const read = ask('GET demo/status/job-1');
    (await next('GET /demo/status/job-1')).answer({ json: { id: 'job-1', status: 'CANCELLED' } });
    expect(await (await read).json()).toMatchObject({ status: 'CANCELLED' });
  });
});

describe('the service', () => {
  test('is asked 1.6 times a job at most for 200 pages that wait for five jobs each', async () => {
    const { connect, ask, set, wait, reads } = made();
    const pages = [];
    for (let nth = 0; nth < 200; nth++) pages.push(await connect({ user: `user-${nth}` }));
    // By the first jobs, the client learns that the service holds its answers, and how long jobs take.
    for (let nth = 0; nth < 10; nth++) await ask('POST demo/run', { ...submission, user: `user-${nth}` });
    await wait(1_000);
    for (let nth = 1; nth <= 10; nth++) set(`job-${nth}`, { status: 'IN_PROGRESS' });
    await wait(8_000);
    for (let nth = 1; nth <= 10; nth++) set(`job-${nth}`, { status: 'COMPLETED', executionTime: 8_000 });
    await wait(10_000);
    const before = reads().length;
    const ids: string[] = [];
    for (let round = 0; round < 5; round++) {
      for (let nth = 0; nth < 200; nth++) {
        const answer = await ask('POST demo/run', { ...submission, user: `user-${nth}` });
        ids.push(((await answer.json()) as { id: string }).id);
      }
      await wait(1_000);
    }
    // Fifty start each second, and take eight seconds.
    for (let second = 0; second < 30; second++) {
      for (const id of ids.slice(second * 50, second * 50 + 50)) set(id, { status: 'IN_PROGRESS' });
      for (const id of ids.slice((second - 8) * 50, (second - 8) * 50 + 50))
        if (second >= 8) set(id, { status: 'COMPLETED', executionTime: 8_000 });
      await wait(1_000);
    }
    await wait(40_000);
    const told = pages.flatMap((page) => page.told());
    expect(told.filter((line) => line.includes('COMPLETED'))).toHaveLength(1_010);
    expect((reads().length - before) / 1_000).toBeLessThanOrEqual(1.6);
  });
});

describe('what is followed', () => {
  test('goes on for two minutes after the last page has left, and what it missed is sent to the page that comes back', async () => {
    const { connect, ask, set, wait } = made();
    const page = await connect();
    await ask('POST demo/run', submission);
    await wait(100);
    await page.leave();
    set('job-1', { status: 'COMPLETED' });
    await wait(60_000);
    const back = await connect({ position: page.position() });
    expect(back.events.map(({ type }) => type)).toEqual(['hello', 'job']);
    expect(back.told()).toEqual(['job-1 COMPLETED end']);
  });

  test('stops after that, and nothing is left over', async () => {
    const { connect, ask, wait, reads, set, timers } = made();
    const page = await connect();
    await ask('POST demo/run', submission);
    set('job-1', { status: 'IN_PROGRESS' });
    await wait(2_000);
    await page.leave();
    await wait(120_000);
    const before = reads().length;
    await wait(1_000_000);
    expect(reads()).toHaveLength(before);
    expect(timers()).toBe(0);
    const back = await connect({ position: page.position() });
    expect(back.events.map(({ type }) => type)).toEqual(['hello', 'reset']);
  });

  test('stops when the client is closed, and so do all connections', async () => {
    const { connect, ask, wait, client, timers } = made();
    const pages = [await connect(), await connect(), await connect({ user: 'bob' })];
    await ask('POST demo/run', submission);
    client.close().subscribe();
    // Nothing keeps the process from ending.
    expect(timers()).toBe(0);
    expect(await Promise.all(pages.map(({ ended }) => ended))).toEqual(['done', 'done', 'done']);
    // A page that comes after that is told nothing.
    expect(await (await connect()).ended).toBe('done');
    await wait(10);
    expect(timers()).toBe(0);
  });

  test('all connections end at once, though a cancel is not confirmed yet', async () => {
    const { connect, client, wait, asked } = made();
    const page = await connect();
    const abandoned = client
      .endpoint('demo')
      .job({ input: { a: 1 } })
      .state$.subscribe();
    await wait(10);
    const cancels = () => asked.filter(({ line }) => line.includes('/cancel')).length;
    abandoned.unsubscribe();
    let isClosed = false;
    client.close().subscribe(() => (isClosed = true));
    expect(await page.ended).toBe('done');
    expect([isClosed, cancels()]).toEqual([false, 0]);
    await wait(10_000);
    expect([isClosed, cancels()]).toEqual([true, 1]);
  });

  test('is nothing where no page is connected', async () => {
    const { ask, wait, reads, timers } = made();
    for (let nth = 0; nth < 5; nth++) await ask('POST demo/run', submission);
    await wait(130_000);
    expect(reads()).toEqual([]);
    expect(timers()).toBe(0);
  });
});
