import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createRunpod } from 'runpod-rx';
import { request, see, together } from '../events/pages.js';
import { settle, submission } from '../events/support.js';
import { BASE, pageTransport } from '../proxy/support.js';

const streamReads = (lines: readonly string[]) => lines.filter((line) => line.includes('stream/')).length;

describe('a page that is connected and shows a stream', () => {
  test('has each chunk when the server has it, and asks for the stream a few times only', async () => {
    const { endpoint, wait, set, yields, lines, asked } = together();
    const chunks = see(endpoint.job(request).chunks$);
    await wait(10);
    set('job-1', { status: 'IN_PROGRESS' });
    for (let nth = 0; nth < 60; nth++) {
      await wait(1_000);
      yields('job-1', nth);
      await wait(10);
      expect(chunks.values).toHaveLength(nth + 1);
    }
    set('job-1', { status: 'COMPLETED', output: [] });
    await wait(10);
    await wait(600);
    expect(chunks).toMatchObject({ ended: 'completed' });
    expect(chunks.values).toEqual(Array.from({ length: 60 }, (_, nth) => nth));
    // The first, which waits for the first chunk, and what it takes until the page is connected.
    expect(streamReads(lines)).toBeLessThanOrEqual(3);
    // The service is read by one reader.
    const reads = asked.filter(({ line }) => line.includes('/stream/'));
    expect(reads.length).toBeLessThanOrEqual(60 + 3);
  });

  test('that hears nothing for long asks each half a minute, as a safety net', async () => {
    const { endpoint, wait, set, yields, lines } = together();
    const chunks = see(endpoint.job(request).chunks$);
    await wait(10);
    set('job-1', { status: 'IN_PROGRESS' });
    yields('job-1', 'a');
    await wait(1_000);
    const before = streamReads(lines);
    for (let nth = 0; nth < 240; nth++) await wait(500);
    const asked = streamReads(lines) - before;
    expect(asked).toBeGreaterThanOrEqual(2);
    expect(asked).toBeLessThanOrEqual(4);
    yields('job-1', 'b');
    await wait(10);
    expect(chunks.values).toEqual(['a', 'b']);
  });

  test('shares it with the other pages of its user, and one that comes later gets all of it', async () => {
    const made = together();
    const { endpoint, wait, set, yields } = made;
    const first = see(endpoint.job(request).chunks$);
    await wait(10);
    set('job-1', { status: 'IN_PROGRESS' });
    yields('job-1', 1, 2);
    await wait(1_000);
    const second = createRunpod({
      baseUrl: BASE,
      transport: Object.assign(pageTransport(made.handler), { multiplexes: true }),
      scheduler: made.scheduler,
      notices: made.notices,
      limits: false,
    });
    const late = see(second.endpoint('demo').stream('job-1'));
    await wait(10);
    expect(late.values).toEqual([1, 2]);
    yields('job-1', 3);
    await wait(600);
    set('job-1', { status: 'COMPLETED' });
    for (let nth = 0; nth < 6; nth++) await wait(500);
    expect([first, late]).toMatchObject([
      { values: [1, 2, 3], ended: 'completed' },
      { values: [1, 2, 3], ended: 'completed' },
    ]);
    second.close().subscribe();
  });

  test('that is loaded again goes on where it was, and has lost nothing', async () => {
    const { endpoint, wait, set, yields } = together();
    const job = endpoint.job(request);
    const chunks = see(job.chunks$);
    await wait(10);
    set('job-1', { status: 'IN_PROGRESS' });
    yields('job-1', 1, 2);
    await wait(100);
    let ref: Parameters<typeof endpoint.attach>[0] = 'job-1';
    job.detach().subscribe((given) => {
      ref = JSON.parse(JSON.stringify(given)) as typeof given;
    });
    await wait(10);
    // Nobody is there.
    yields('job-1', 3);
    await wait(20_000);
    const again = see(endpoint.attach(ref).chunks$);
    await wait(500);
    yields('job-1', 4);
    await wait(500);
    set('job-1', { status: 'COMPLETED' });
    for (let nth = 0; nth < 6; nth++) await wait(500);
    expect(chunks.values).toEqual([1, 2]);
    expect(again).toMatchObject({ values: [3, 4], ended: 'completed' });
  });

  test('gets again what another reader of its own has had', async () => {
    const { endpoint, wait, set, yields } = together();
    const job = endpoint.job(request, { onUnsubscribe: 'detach' });
    const first = see(job.chunks$);
    await wait(10);
    set('job-1', { status: 'IN_PROGRESS' });
    yields('job-1', 1, 2);
    yields('job-1', 3);
    await wait(100);
    first.subscription?.unsubscribe();
    await wait(100);
    const again = see(
      endpoint.attach({ v: 1, endpointId: 'demo', id: 'job-1', chunks: 1 }, { onGap: 'error' }).chunks$,
    );
    await wait(500);
    set('job-1', { status: 'COMPLETED' });
    for (let nth = 0; nth < 6; nth++) await wait(500);
    expect(first.values).toEqual([1, 2, 3]);
    expect(again).toMatchObject({ values: [2, 3], ended: 'completed' });
  });

  test('of a job that failed has its chunks, then the error', async () => {
    const { endpoint, wait, set, yields } = together();
    const chunks = see(endpoint.job(request).chunks$);
    await wait(10);
    yields('job-1', 1);
    await wait(100);
    set('job-1', { status: 'FAILED' });
    for (let nth = 0; nth < 6; nth++) await wait(500);
    expect(chunks.values).toEqual([1]);
    expect(chunks.ended).toContain('JobFailedError');
  });

  test('of a job that runs again has the chunks of the new run, all of them', async () => {
    const { endpoint, wait, set, yields, ask } = together();
    const before = see(endpoint.job(request).chunks$);
    await wait(10);
    yields('job-1', 'old');
    await wait(100);
    set('job-1', { status: 'FAILED' });
    for (let nth = 0; nth < 6; nth++) await wait(500);
    expect(before.values).toEqual(['old']);
    await ask('POST demo/retry/job-1');
    yields('job-1', 'new');
    await wait(500);
    const after = see(endpoint.stream('job-1'));
    // This client knows of no second run: it has had the first chunk of the stream.
    await wait(500);
    set('job-1', { status: 'COMPLETED' });
    for (let nth = 0; nth < 6; nth++) await wait(500);
    expect(after.values.concat(after.ended ?? '')).not.toContain('old');
  });
});

test('S16 a job that others have run again has the chunks of the new run', async () => {
  const made = together();
  const { endpoint, wait, set, yields } = made;
  const before = see(endpoint.job(request).chunks$);
  await wait(10);
  yields('job-1', 'old');
  await wait(100);
  set('job-1', { status: 'FAILED' });
  for (let nth = 0; nth < 30; nth++) await wait(500);
  expect(before.values).toEqual(['old']);
  // Past the proxy.
  set('job-1', { status: 'IN_PROGRESS' });
  yields('job-1', 'new');
  const page = createRunpod({
    baseUrl: BASE,
    transport: pageTransport(made.handler),
    scheduler: made.scheduler,
    notices: made.notices,
    limits: false,
  });
  const after = see(page.endpoint('demo').stream('job-1'));
  await wait(600);
  set('job-1', { status: 'COMPLETED' });
  for (let nth = 0; nth < 8; nth++) await wait(500);
  expect(after).toMatchObject({ values: ['new'], ended: 'completed' });
  page.close().subscribe();
});

describe('without events', () => {
  const lonely = () => together({ network: { instead: () => new Response(null, { status: 404 }) } });

  test('an answer that is lost loses no chunk', async () => {
    let cut = 0;
    const { endpoint, wait, set, yields } = together({
      network: {
        instead: () => new Response(null, { status: 404 }),
        loses: (line) => line.includes('stream') && cut++ % 2 === 0,
      },
    });
    const chunks = see(endpoint.job(request).chunks$);
    await wait(10);
    set('job-1', { status: 'IN_PROGRESS' });
    for (let nth = 0; nth < 10; nth++) {
      yields('job-1', nth);
      for (let half = 0; half < 10; half++) await wait(500);
    }
    set('job-1', { status: 'COMPLETED', output: [] });
    for (let half = 0; half < 20; half++) await wait(500);
    expect(chunks.values).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(chunks.ended).toBe('completed');
    expect(cut).toBeGreaterThan(5);
  });

  test('a page that knows nothing of places has each chunk once, together with the others that do not', async () => {
    const { ask, wait, yields, endpoint } = lonely();
    await ask('POST demo/run', submission);
    see(endpoint.stream('job-1'));
    await wait(10);
    yields('job-1', 1);
    await wait(10);
    yields('job-1', 2);
    await wait(10);
    const texts: string[] = [];
    for (let nth = 0; nth < 2; nth++) texts.push(await (await ask('GET demo/stream/job-1')).text());
    expect(texts).toEqual([
      '{"status":"IN_QUEUE","stream":[{"output":1}]}',
      '{"status":"IN_QUEUE","stream":[{"output":2}]}',
    ]);
  });
});

test('S16 chunks that went to a page that knows nothing of places are a gap for the one that begins meanwhile', async () => {
  const { ask, wait, yields, endpoint } = together({ network: { instead: () => new Response(null, { status: 404 }) } });
  await ask('POST demo/run', submission);
  const plain = ask('GET demo/stream/job-1');
  await settle();
  const chunks = see(endpoint.stream('job-1', { onGap: 'error' }));
  await wait(10);
  yields('job-1', 1);
  await wait(600);
  yields('job-1', 2);
  await wait(600);
  expect(await (await plain).text()).toContain('"output":1');
  expect(chunks.values).toEqual([]);
  expect(chunks.ended).toContain('StreamGapError');
});

test('S16 a stream whose job is over is not over for a page while the server cannot read the rest', async () => {
  const { endpoint, wait, set, states, yields, holds } = together({
    network: { instead: () => new Response(null, { status: 404 }) },
  });
  const chunks = see(endpoint.job(request, { onGap: 'mark' }).chunks$);
  await wait(10);
  set('job-1', { status: 'IN_PROGRESS' });
  await wait(100);
  // The service is to give the chunks of a job that is over in two answers. Between them it holds one for long.
  states.set('job-1', { status: 'COMPLETED' });
  holds('job-1', true);
  yields('job-1', 1);
  for (let half = 0; half < 30; half++) await wait(500);
  expect(chunks).toMatchObject({ values: [1], ended: undefined });
  yields('job-1', 2);
  holds('job-1', false);
  for (let half = 0; half < 10; half++) await wait(500);
  expect(chunks).toMatchObject({ values: [1, 2], ended: 'completed' });
});

describe('what the server has lost', () => {
  test('is a gap for the page, and nothing comes after it unnoticed', async () => {
    const { endpoint, wait, set, yields, losesAnswer } = together();
    const job = endpoint.job(request, { onGap: 'mark' });
    const chunks = see(job.events$);
    see(job.chunks$);
    await wait(10);
    set('job-1', { status: 'IN_PROGRESS' });
    yields('job-1', 1);
    await wait(100);
    losesAnswer('job-1');
    await wait(1_000);
    yields('job-1', 3);
    await wait(1_000);
    set('job-1', { status: 'COMPLETED' });
    for (let half = 0; half < 10; half++) await wait(500);
    const seen = (chunks.values as { type: string; chunk?: unknown }[])
      .filter(({ type }) => type === 'chunk' || type === 'gap')
      .map(({ type, chunk }) => chunk ?? type);
    expect(seen).toEqual([1, 'gap', 3]);
  });

  test('before it kept the stream is a gap, where the reader before says so', async () => {
    const { endpoint, ask, wait, yields } = together();
    await ask('POST demo/run', submission);
    const job = endpoint.attach({ v: 1, endpointId: 'demo', id: 'job-1', gap: true }, { onGap: 'mark' });
    const seen = see<{ type: string }>(job.events$);
    const chunks = see(job.chunks$);
    await wait(10);
    yields('job-1', 2);
    await wait(500);
    expect(chunks.values).toEqual([2]);
    expect(seen.values.filter(({ type }) => type === 'gap')).toHaveLength(1);
  });

  test('a server that keeps no streams is read plainly', async () => {
    const made = together();
    const { wait, yields, set, handler, scheduler, notices } = made;
    const lines: string[] = [];
    const proxy = pageTransport((given) => {
      const url = new URL(given.url);
      lines.push(url.pathname.replace(/.*demo/, '') + url.search);
      return url.searchParams.has('chunks') ? Promise.resolve(new Response('{}', { status: 416 })) : handler(given);
    });
    const client = createRunpod({ baseUrl: BASE, transport: proxy, scheduler, notices, limits: false });
    const chunks = see(client.endpoint('demo').job(request).chunks$);
    await wait(10);
    yields('job-1', 1);
    await wait(1_000);
    yields('job-1', 2);
    await wait(1_000);
    set('job-1', { status: 'COMPLETED' });
    for (let half = 0; half < 6; half++) await wait(500);
    expect(chunks).toMatchObject({ values: [1, 2], ended: 'completed' });
    expect(lines.filter((line) => line.includes('chunks='))).toHaveLength(1);
    client.close().subscribe();
  });
});

test('S16 connections that are cut at random for a minute: every chunk once, in order', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({
          chunks: fc.integer({ min: 0, max: 3 }),
          ms: fc.integer({ min: 1, max: 3_000 }),
          cut: fc.boolean(),
          loses: fc.boolean(),
        }),
        { minLength: 20, maxLength: 40 },
      ),
      async (steps) => {
        let loses = false;
        const { endpoint, wait, set, yields, connections } = together({
          network: { loses: (line) => loses && line.includes('stream') },
        });
        const seen = see(endpoint.job(request).chunks$);
        await wait(10);
        set('job-1', { status: 'IN_PROGRESS' });
        let count = 0;
        for (const step of steps) {
          ({ loses } = step);
          if (step.chunks) yields('job-1', ...Array.from({ length: step.chunks }, () => count++));
          if (step.cut) connections.at(-1)?.cut();
          await settle();
          await wait(step.ms);
        }
        loses = false;
        set('job-1', { status: 'COMPLETED', output: [] });
        for (let half = 0; half < 60; half++) await wait(500);
        expect(seen.values).toEqual(Array.from({ length: count }, (_, nth) => nth));
        expect(seen.ended).toBe('completed');
      },
    ),
    { numRuns: 15 },
  );
});
