import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { listen, made, settle, submission, toldBy } from './support.js';
import { headersOf, pageRequest, proxied } from '../proxy/support.js';

describe('the address of events', () => {
  test('answers with what no proxy on the way keeps, changes or collects', async () => {
    const { connect } = made();
    const { answer, events } = await connect();
    expect(answer.status).toBe(200);
    expect(headersOf(answer)).toMatchObject({
      'content-type': 'text/event-stream',
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
      'x-content-type-options': 'nosniff',
    });
    expect(events).toMatchObject([{ type: 'hello', position: expect.stringMatching(/^[\w-]{36}\.0$/) as string }]);
  });

  test.each<[number, string, Parameters<typeof pageRequest>[1]]>([
    [401, 'GET events', { user: null }],
    [403, 'GET events', { headers: { 'sec-fetch-site': 'cross-site' } }],
    [405, 'POST events', { body: {} }],
    [404, 'GET events/demo', {}],
    [404, 'GET demo/events', {}],
  ])('is %i for %s', async (status, line, options) => {
    const { handler } = made();
    expect((await handler(pageRequest(line, options))).status).toBe(status);
  });

  test('does not exist unless it is opened', async () => {
    const { ask } = made({ events: false });
    expect((await ask('GET events')).status).toBe(404);
    expect(
      (
        await proxied(() => {
          throw new Error('unused');
        }).ask('GET events')
      ).status,
    ).toBe(404);
  });

  test('does not exist on Cloudflare Workers', async () => {
    const { navigator } = globalThis;
    Object.defineProperty(globalThis, 'navigator', { value: { userAgent: 'Cloudflare-Workers' }, configurable: true });
    try {
      expect((await made().ask('GET events')).status).toBe(404);
    } finally {
      Object.defineProperty(globalThis, 'navigator', { value: navigator, configurable: true });
    }
  });
});

describe('a connection', () => {
  test('begins also where a page has missed much, and its jobs are large', async () => {
    const { connect, ask, states, client } = made();
    const first = await connect();
    const position = first.position();
    await first.leave();
    const ids = Array.from({ length: 95 }, (_, nth) => `job-${nth + 1}`);
    for (const id of ids) states.set(id, { status: 'IN_PROGRESS', output: '漢'.repeat(10_000) });
    await Promise.all(ids.map(() => ask('POST demo/run', submission)));
    const again = await connect({ position });
    expect(new Set(again.told().map((line) => line.split(' ')[0]))).toEqual(new Set(ids));
    await again.leave();
    client.close().subscribe();
  });

  test('has something sent each 15 s, and ends when it is cancelled: no timer is left but that of the log', async () => {
    const { handler, wait, timers } = made();
    const answer = await handler(pageRequest('GET events'));
    const parts = answer.body!.getReader();
    const read = async () => new TextDecoder().decode((await parts.read()).value);
    expect(await read()).toMatch(/event: hello/);
    await wait(15_000);
    await wait(15_000);
    expect([await read(), await read()]).toEqual([':\n\n', ':\n\n']);
    await parts.cancel();
    expect(timers()).toBe(1);
    await wait(120_000);
    expect(timers()).toBe(0);
  });

  test('ends when the page has left, as the signal of its request says', async () => {
    const { connect, wait, timers } = made();
    const leaving = new AbortController();
    const page = await connect({ signal: leaving.signal });
    leaving.abort();
    expect(await page.ended).toBe('done');
    await wait(120_000);
    expect(timers()).toBe(0);
  });

  test('of a page that has left before it is answered is none', async () => {
    const { handler, wait, timers } = made();
    const { status } = await handler(pageRequest('GET events', { signal: AbortSignal.abort() }));
    expect(status).toBe(499);
    await wait(120_000);
    expect(timers()).toBe(0);
  });

  test('is broken where its page reads too slowly, and holds up nobody; the page goes on where it was', async () => {
    const { handler, connect, ask, set, wait } = made();
    const answer = await handler(pageRequest('GET events'));
    const slow = answer.body!.getReader();
    await slow.read();
    const other = await connect();
    const output = 'x'.repeat(60_000);
    for (let nth = 1; nth <= 80; nth++) {
      await ask('POST demo/run', submission);
      set(`job-${nth}`, { status: 'COMPLETED', output });
      await wait(1_000);
    }
    expect(toldBy(other.events).filter((line) => line.includes('COMPLETED'))).toHaveLength(80);
    await expect(slow.read()).rejects.toThrow('too slowly');
  });

  test('is ended for the twenty-first of its user, who is told to come back later', async () => {
    const { connect } = made();
    const pages = [];
    for (let nth = 0; nth < 20; nth++) pages.push(await connect());
    const bob = await connect({ user: 'bob' });
    await connect();
    expect(await pages[0]?.ended).toBe('done');
    expect(pages[0]?.events.at(-1)).toMatchObject({ type: 'bye', data: '{"retryAfter":60000}' });
    for (const page of [...pages.slice(1), bob]) expect(page.events).toHaveLength(1);
  });
});

describe('a page that comes back', () => {
  test('gets exactly what it missed, and the state of what is followed', async () => {
    const { connect, ask, set, wait } = made();
    const page = await connect();
    for (let nth = 0; nth < 3; nth++) await ask('POST demo/run', submission);
    await settle();
    const position = page.events.find(({ data }) => data.includes('job-2'))?.position;
    await page.leave();
    set('job-1', { status: 'COMPLETED' });
    await wait(10_000);
    const back = await connect({ position });
    expect(back.events.map(({ type }) => type)).toEqual(['hello', 'job', 'job', 'job', 'job']);
    expect(back.told()).toEqual([
      'job-3 IN_QUEUE end',
      'job-1 COMPLETED end',
      'job-2 IN_QUEUE end',
      'job-3 IN_QUEUE end',
    ]);
    expect(back.events[0]?.position).toBe(position);
    // What is not of the log moves nobody on.
    expect(new Set(back.events.slice(2).map((event) => event.position)).size).toBe(1);
  });

  test('may give its position in the address', async () => {
    const { connect, ask, handler } = made();
    const page = await connect();
    await ask('POST demo/run', submission);
    await settle();
    const back = await listen((request) =>
      handler(new Request(`${request.url}?lastEventId=${page.events[0]?.position ?? ''}`, request)),
    );
    expect(back.told()[0]).toBe('job-1 IN_QUEUE end');
    expect(back.events.map(({ type }) => type)).not.toContain('reset');
  });

  test('after whatever breaks, sees every state of the log once and in order', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 4 }), fc.boolean(), fc.nat({ max: 5 })), { maxLength: 30 }),
        async (steps) => {
          const { connect, ask, set, wait } = made();
          const whole = await connect();
          let page = await connect();
          let seen = [...page.events];
          let count = 0;
          for (const [act, breaks, lost] of steps) {
            if (act === 0) {
              await ask('POST demo/run', submission);
              count++;
            } else if (count) {
              const id = `job-${1 + (act % count)}`;
              if (act === 1) set(id, { status: 'COMPLETED', output: act });
              else if (act < 4) await ask(`GET demo/status/${id}`);
              else set(id, { status: 'IN_PROGRESS', output: count });
            }
            await wait(act * 700);
            if (!breaks) continue;
            await page.leave();
            // What was on its way may be lost, from any event on.
            seen = [...seen, ...page.events.slice(0, page.events.length - (lost % page.events.length))];
            page = await connect({ position: seen.at(-1)?.position });
          }
          seen = [...seen, ...page.events];
          const numbered = (events: typeof seen) => {
            const all = events.filter(({ type }) => type === 'job');
            // Those without a number of their own repeat what is known at a connection.
            return all.filter(({ position }, nth) => position !== all[nth - 1]?.position && !position?.endsWith('.0'));
          };
          expect(numbered(seen).map(({ data }) => data)).toEqual(numbered([...whole.events]).map(({ data }) => data));
        },
      ),
      { numRuns: 60 },
    );
  });
});
