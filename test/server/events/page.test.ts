import { describe, expect, test } from 'vitest';
import { page, request, see, together, type Network } from './pages.js';
import { made as server, settle, submission } from './support.js';

describe('the client of a page that is connected', () => {
  test('reads its job once when it was submitted, and then not at all: neither while it runs, nor at the end', async () => {
    const { endpoint, wait, set, lines } = together();
    const output = see(endpoint.job(request).output$);
    await wait(10);
    await wait(400);
    set('job-1', { status: 'IN_PROGRESS' });
    for (let nth = 0; nth < 20; nth++) await wait(1_000);
    set('job-1', { status: 'COMPLETED', output: 42 });
    await wait(10);
    expect(output).toMatchObject({ values: [42], ended: 'completed' });
    expect(lines).toEqual(['POST run', 'GET status/job-1']);
  });

  test('reads a job a few times whose progress it shows, and gets every change', async () => {
    const { endpoint, wait, set, lines } = together();
    const progress = see(endpoint.job(request).progress$);
    await wait(10);
    for (let nth = 0; nth < 20; nth++) {
      set('job-1', { status: 'IN_PROGRESS', output: nth });
      for (let half = 0; half < 12; half++) await wait(500);
    }
    set('job-1', { status: 'COMPLETED', output: 'done' });
    for (let half = 0; half < 12; half++) await wait(500);
    expect(progress).toMatchObject({ ended: 'completed' });
    expect(progress.values).toEqual(Array.from({ length: 20 }, (_, nth) => nth));
    // Beside the first three, one each half a minute as a safety net.
    expect(lines.filter((line) => line.startsWith('GET')).length).toBeLessThanOrEqual(3 + 4);
  });

  test('reads nothing at all where it runs a job to its end', async () => {
    const { endpoint, wait, set, lines, timers } = together();
    const seen = see(endpoint.runToEnd(request));
    await wait(10);
    set('job-1', { status: 'IN_PROGRESS' });
    for (let nth = 0; nth < 20; nth++) await wait(1_000);
    set('job-1', { status: 'COMPLETED', output: 42 });
    await wait(10);
    expect(seen.values.at(-1)).toMatchObject({ status: 'COMPLETED', output: 42 });
    expect(lines).toEqual(['POST run']);
    await wait(130_000);
    expect(timers()).toBe(0);
  });

  test('reads a job once that it attaches to', async () => {
    const { endpoint, wait, set, lines, ask } = together();
    await ask('POST demo/run', submission);
    set('job-1', { status: 'IN_PROGRESS' });
    await wait(500_000);
    const output = see(endpoint.attach('job-1').output$);
    for (let nth = 0; nth < 20; nth++) await wait(1_000);
    set('job-1', { status: 'COMPLETED', output: 1 });
    await wait(10);
    expect(output.values).toEqual([1]);
    expect(lines.filter((line) => line === 'GET status/job-1').length).toBeLessThanOrEqual(1);
  });

  test('connects with its first job and leaves after the last', async () => {
    const { endpoint, wait, set, connections, timers } = together();
    expect(connections).toHaveLength(0);
    const seen = [see(endpoint.job(request).output$), see(endpoint.job(request).output$)];
    await wait(10);
    expect(connections).toHaveLength(1);
    for (const id of ['job-1', 'job-2']) set(id, { status: 'COMPLETED' });
    await wait(5_000);
    expect(seen.map(({ ended }) => ended)).toEqual(['completed', 'completed']);
    await wait(130_000);
    expect(timers()).toBe(0);
  });

  test('has all its endpoints served by one connection, the later ones too', async () => {
    const { client, wait, connections, endpoint, notices } = together();
    see(endpoint.job(request).output$);
    await wait(10);
    const late = see(notices);
    see(client.endpoint('demo').watch('job-1'));
    await wait(10);
    expect(connections).toHaveLength(1);
    // That streams are kept, and the job.
    expect(late.values).toHaveLength(2);
  });
});

describe('when the connection breaks', () => {
  test('the page connects again after the last event, and has missed nothing', async () => {
    const { endpoint, wait, set, connections, lines } = together();
    const output = see(endpoint.job(request).output$);
    await wait(100);
    connections[0]?.cut();
    await settle();
    set('job-1', { status: 'COMPLETED', output: 7 });
    await wait(1_000);
    await wait(10);
    expect(connections).toHaveLength(2);
    expect(connections[1]?.headers['last-event-id']).toMatch(/\.1$/);
    await wait(3_000);
    expect(output.values).toEqual([7]);
    expect(lines.length).toBeLessThanOrEqual(3);
  });

  test('any number of times, at any moment, the page sees every job end', async () => {
    const { endpoint, wait, set, connections } = together();
    const seen = [];
    for (let nth = 1; nth <= 40; nth++) {
      seen.push(see(endpoint.job(request).output$));
      await wait((nth * 137) % 800);
      connections.at(-1)?.cut();
      await settle();
      set(`job-${nth}`, { status: 'COMPLETED', output: nth });
      await wait((nth * 211) % 1_500);
    }
    await wait(35_000);
    await wait(5_000);
    expect(seen.map(({ values }) => values)).toEqual(Array.from({ length: 40 }, (_, nth) => [nth + 1]));
  });

  test.each<[string, Network, readonly [from: number, to: number][]]>([
    [
      'fails',
      { instead: () => Promise.reject(new TypeError('no network')) },
      [
        [500, 1_000],
        [1_000, 2_000],
        [2_000, 4_000],
        [4_000, 8_000],
        [8_000, 16_000],
        [15_000, 30_000],
        [15_000, 30_000],
      ],
    ],
    [
      'is answered 503 with a time',
      { instead: () => new Response('', { status: 503, headers: { 'retry-after': '20' } }) },
      [
        [20_000, 20_000],
        [20_000, 20_000],
      ],
    ],
    [
      'is answered 401',
      { instead: () => new Response('', { status: 401 }) },
      [
        [60_000, 60_000],
        [60_000, 60_000],
      ],
    ],
    ['is answered 403', { instead: () => new Response('', { status: 403 }) }, [[60_000, 60_000]]],
    [
      'is answered by a page',
      { instead: () => new Response('<html>', { headers: { 'content-type': 'text/html' } }) },
      [
        [500, 1_000],
        [1_000, 2_000],
      ],
    ],
    [
      'ends at once',
      { instead: () => new Response('', { headers: { 'content-type': 'text/event-stream' } }) },
      [
        [500, 1_000],
        [1_000, 2_000],
      ],
    ],
    [
      'brings something that is no hello',
      { instead: () => new Response('data: {}\n\n', { headers: { 'content-type': 'text/event-stream' } }) },
      [
        [500, 1_000],
        [1_000, 2_000],
      ],
    ],
  ])('a connection that %s is tried again, later and later', async (_, network, pauses) => {
    const { notices, connections, wait } = together({ network });
    const seen = see(notices);
    for (let nth = 0; nth < 400 && connections.length <= pauses.length; nth++) await wait(500);
    for (const [nth, [from, to]] of pauses.entries()) {
      const pause = (connections[nth + 1]?.at ?? Infinity) - (connections[nth]?.at ?? 0);
      expect(pause).toBeGreaterThanOrEqual(from);
      expect(pause).toBeLessThanOrEqual(to);
    }
    seen.subscription?.unsubscribe();
    const before = connections.length;
    await wait(100_000);
    expect(connections).toHaveLength(before);
  });

  test('a time that no timer could keep is shortened, rather than to pass at once', async () => {
    const instead = () => new Response('', { status: 503, headers: { 'retry-after': '99999999' } });
    const { notices, connections, scheduler, wait } = together({ network: { instead } });
    const seen = see(notices);
    await wait(0);
    const latest = Math.max(...scheduler.actions.map(({ delay }) => delay));
    expect(latest - connections[0]!.at).toBe(86_400_000);
    seen.subscription?.unsubscribe();
  });

  test.each([404, 204])('where nothing is there (%i), the page gives up, and reads its jobs', async (status) => {
    const { endpoint, connections, wait, set } = together({
      network: { instead: () => new Response(null, { status }) },
    });
    const output = see(endpoint.job(request).output$);
    for (let nth = 0; nth < 5; nth++) await wait(1_000);
    set('job-1', { status: 'COMPLETED', output: 1 });
    for (let nth = 0; nth < 5; nth++) await wait(1_000);
    expect(output.values).toEqual([1]);
    // Not for its next job either.
    see(endpoint.job(request).output$);
    await wait(1_000);
    expect(connections).toHaveLength(1);
  });

  test('the pauses are short again after a connection that was one', async () => {
    let fails = 5;
    const { notices, connections, wait } = together({
      network: { instead: () => (fails-- > 0 ? new Response('', { status: 500 }) : undefined) },
    });
    see(notices);
    for (let nth = 0; nth < 100 && connections.length < 6; nth++) await wait(500);
    connections.at(-1)?.cut();
    await settle();
    await wait(1_000);
    expect(connections).toHaveLength(7);
  });

  test('what begins with something else than a hello is no connection', async () => {
    const other = new TextEncoder().encode('event: job\ndata: {"job":{"id":"a"},"follows":"end"}\n\n');
    const endless = () =>
      new Response(
        new ReadableStream<Uint8Array>({
          start: (controller) => {
            controller.enqueue(other);
          },
        }),
        {
          headers: { 'content-type': 'text/event-stream' },
        },
      );
    const { notices, connections, wait } = together({ network: { instead: endless } });
    see(notices);
    await wait(10);
    await wait(1_000);
    expect(connections).toHaveLength(2);
  });

  test('JSON that is broken breaks it, and an unknown event does not', async () => {
    const type = { 'content-type': 'text/event-stream' };
    const bodies = [
      'event: hello\ndata: {}\n\nevent: news\ndata: {"a":1}\n\nevent: job\ndata: {"job":{"id":"a"},"follows":"end"}\n\nevent: job\ndata: {\n\n',
    ];
    const { notices, connections, wait } = together({
      network: { instead: () => new Response(bodies.shift() ?? null, { headers: type }) },
    });
    const seen = see(notices);
    await wait(100);
    // That streams are kept, the hello, the job, and the break.
    expect(seen.values).toHaveLength(4);
    await wait(1_000);
    expect(connections).toHaveLength(2);
  });

  test('a proxy on the way that collects the events counts as no connection: the page reads on', async () => {
    const collecting = (body: ReadableStream<Uint8Array>) => {
      const parts = body.getReader();
      return new ReadableStream<Uint8Array>({ cancel: () => parts.cancel() });
    };
    const { endpoint, connections, wait, set, lines } = together({ network: { body: collecting } });
    const output = see(endpoint.job(request).output$);
    for (let nth = 0; nth < 20; nth++) await wait(500);
    expect(connections.length).toBeGreaterThan(1);
    expect(connections[1]?.at).toBeGreaterThanOrEqual(5_500);
    expect(connections[1]?.at).toBeLessThanOrEqual(6_500);
    set('job-1', { status: 'COMPLETED', output: 1 });
    for (let nth = 0; nth < 8; nth++) await wait(500);
    expect(output.values).toEqual([1]);
    expect(lines.length).toBeGreaterThan(3);
  });

  test('silence for 40 s is a break', async () => {
    const hello = new TextEncoder().encode('event: hello\ndata: {}\n\n');
    const silent = () =>
      new Response(
        new ReadableStream<Uint8Array>({
          start: (controller) => {
            controller.enqueue(hello);
          },
        }),
        {
          headers: { 'content-type': 'text/event-stream' },
        },
      );
    const { notices, connections, wait } = together({ network: { instead: silent } });
    see(notices);
    await wait(10);
    await wait(39_989);
    expect(connections).toHaveLength(1);
    await wait(11);
    await wait(1_000);
    expect(connections).toHaveLength(2);
  });

  test('the beats of the server keep it from being one', async () => {
    const { notices, connections, wait } = together();
    see(notices);
    await wait(10);
    for (let nth = 0; nth < 20; nth++) await wait(15_000);
    expect(connections).toHaveLength(1);
  });

  test('a page that is one too many comes back after a minute', async () => {
    const made = together();
    see(made.notices);
    await made.wait(10);
    for (let nth = 0; nth < 20; nth++) await made.connect();
    for (let nth = 0; nth < 59; nth++) await made.wait(1_000);
    expect(made.connections).toHaveLength(1);
    for (let nth = 0; nth < 2; nth++) await made.wait(1_000);
    expect(made.connections).toHaveLength(2);
  });

  test('the headers are asked for at each connection', async () => {
    let count = 0;
    const { notices, connections, wait } = together({
      headers: () => Promise.resolve({ authorization: `Bearer ${++count}` }),
    });
    see(notices);
    await wait(10);
    connections[0]?.cut();
    await settle();
    await wait(1_000);
    expect(connections.map(({ headers }) => headers.authorization)).toEqual(['Bearer 1', 'Bearer 2']);
  });

  test('headers that do not change are sent with each connection', async () => {
    const { notices, connections, wait } = together({ headers: { authorization: 'Bearer 1' } });
    see(notices);
    await wait(10);
    connections[0]?.cut();
    await settle();
    await wait(1_000);
    expect(connections.map(({ headers }) => headers.authorization)).toEqual(['Bearer 1', 'Bearer 1']);
  });
});

describe('200 pages that wait for five jobs each', () => {
  test.each(['job', 'runToEnd'] as const)('by %s have the service asked 1.6 times a job at most', async (method) => {
    const made = server();
    const { wait, set, reads } = made;
    // By the first jobs, the server's client learns that the service holds its answers, and how long jobs take.
    const first = page(made, { user: 'first' });
    for (let nth = 0; nth < 10; nth++) see(first.endpoint.job(request).output$);
    await wait(1_000);
    for (let nth = 1; nth <= 10; nth++) set(`job-${nth}`, { status: 'IN_PROGRESS' });
    await wait(8_000);
    for (let nth = 1; nth <= 10; nth++) set(`job-${nth}`, { status: 'COMPLETED', executionTime: 8_000 });
    await wait(10_000);
    const before = reads().length;
    const pages = Array.from({ length: 200 }, (_, nth) => page(made, { user: `user-${nth}` }));
    const seen = pages.flatMap(({ endpoint }) =>
      Array.from({ length: 5 }, () =>
        see(method === 'job' ? endpoint.job(request).output$ : endpoint.runToEnd(request)),
      ),
    );
    await wait(10);
    for (let second = 0; second < 30; second++) {
      for (let nth = 0; nth < 50; nth++) {
        const id = (at: number) => `job-${10 + at * 50 + nth + 1}`;
        if (second < 20) set(id(second), { status: 'IN_PROGRESS' });
        if (second >= 8 && second < 28) set(id(second - 8), { status: 'COMPLETED', output: 1, executionTime: 8_000 });
      }
      for (let part = 0; part < 4; part++) await wait(250);
    }
    for (let part = 0; part < 20; part++) await wait(500);
    expect(seen.filter(({ ended }) => ended === 'completed')).toHaveLength(1_000);
    const asked = pages.flatMap(({ lines }) => lines.filter((line) => line.startsWith('GET')));
    expect((reads().length - before) / 1_000).toBeLessThanOrEqual(1.6);
    expect(asked.length / 1_000).toBeLessThanOrEqual(method === 'job' ? 1.1 : 0.1);
    for (const one of [first, ...pages]) one.client.close().subscribe();
    made.client.close().subscribe();
  });
});
