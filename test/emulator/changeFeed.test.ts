import { VirtualTimeScheduler, delay, interval, map, of, take } from 'rxjs';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { EmulatorOptions, HandlerContext } from 'runpod-rx/testing';
import { createInspected } from '../../src/emulator/createEmulator.js';
import { ClientCounts } from '../../src/emulator/server/dashboard/ClientCounts.js';
import { ChangeFeed } from '../../src/emulator/server/dashboard/ChangeFeed.js';
import type { FeedEvent, FeedQuery } from '../../src/emulator/server/dashboard/FeedEvent.js';

/** An emulator on a virtual clock, and what its dashboard is told. */
function dashboard(options: Partial<EmulatorOptions> = {}) {
  const scheduler = new VirtualTimeScheduler();
  const endpoints = { demo: { handler: () => of('done').pipe(delay(1_000, scheduler)), workers: 1 } };
  const { emulator, inspection } = createInspected({ endpoints, limits: false, seed: 1, ...options, scheduler });
  onTestFinished(() => emulator.close());
  const clients = new ClientCounts(emulator.requests$);
  const send = (method: string, path: string, body?: object, headers = {}): string => {
    let text = '';
    const request = { method, url: `/v2/${path}`, headers, ...(body && { body: JSON.stringify(body) }) };
    emulator.handle(request).subscribe({ next: (answer) => (text = answer.text), error: () => undefined });
    return text;
  };
  return {
    emulator,
    send,
    feed: (query: FeedQuery = {}) => new ChangeFeed(inspection, clients, query),
    submit: (input: object = { x: 1 }, endpoint = 'demo') =>
      (JSON.parse(send('POST', `${endpoint}/run`, { input })) as { id: string }).id,
    until: (ms: number) => {
      scheduler.schedule(() => undefined, ms - scheduler.now());
      scheduler.maxFrames = ms;
      scheduler.flush();
    },
  };
}

const rows = ({ jobs }: FeedEvent) => jobs!.changed.map(({ id, status }) => [id, status]);

describe('the events of a feed', () => {
  test('the first has everything, each later one what has changed', () => {
    const { feed, submit, until } = dashboard();
    const [first, second] = [submit(), submit()];
    const told = feed();
    const event = told.next()!;
    expect(event.jobs).toMatchObject({ ids: [second, first], matching: 2, total: 2 });
    expect(event.state).toMatchObject({ endpoints: { demo: { jobs: { inQueue: 2 } } }, faults: [], clients: [{}] });
    expect(event.requests).toHaveLength(2);
    expect(told.next()).toBeUndefined();
    until(500);
    const next = told.next()!;
    expect(rows(next)).toEqual([[first, 'IN_PROGRESS']]);
    expect(next.requests).toBeUndefined();
    until(1_500);
    expect(rows(told.next()!)).toEqual([
      [second, 'IN_PROGRESS'],
      [first, 'COMPLETED'],
    ]);
  });

  test('come once a second where nothing changes', () => {
    const { feed, until } = dashboard();
    const told = feed();
    told.next();
    until(999);
    expect(told.next()).toBeUndefined();
    until(1_000);
    expect(told.next()).toEqual({ now: 1_000 });
  });

  test('tell of a request again when it has ended', () => {
    const { feed, send, submit, until } = dashboard({ endpoints: { demo: { workers: 0 } } });
    const id = submit();
    send('GET', `demo/stream/${id}`);
    const told = feed();
    const held = { seq: 2, operation: 'stream' };
    expect(told.next()!.requests!.at(-1)).toMatchObject(held);
    until(60_000);
    expect(told.next()!.requests).toEqual([expect.objectContaining({ ...held, status: 200 })]);
  });
});

describe('the jobs of a feed', () => {
  test('are the newest 300, of however many', () => {
    const { feed, submit } = dashboard({ endpoints: { demo: { workers: 0 } } });
    const ids = Array.from({ length: 10_000 }, () => submit());
    const told = feed();
    const { jobs } = told.next()!;
    expect(jobs).toMatchObject({ matching: 10_000, total: 10_000 });
    expect(jobs!.ids).toEqual(ids.slice(-300).reverse());
    expect(jobs!.changed).toHaveLength(300);
    const latest = submit();
    expect(told.next()!.jobs).toMatchObject({ changed: [{ id: latest }] });
  });

  test('are those that the query fits', () => {
    const endpoints = { demo: { workers: 0 }, other: { handler: () => 'done' } };
    const { feed, submit, until } = dashboard({ endpoints });
    const [one, two] = [submit(), submit({ x: 1 }, 'other')];
    until(100);
    expect(feed({ endpoint: 'other' }).next()!.jobs).toMatchObject({ ids: [two], matching: 1, total: 2 });
    expect(feed({ status: 'IN_QUEUE' }).next()!.jobs!.ids).toEqual([one]);
    expect(feed({ search: one.slice(3, 12) }).next()!.jobs!.ids).toEqual([one]);
    expect(feed({ search: one, status: 'FAILED' }).next()!.jobs).toMatchObject({ ids: [], matching: 0, total: 2 });
  });

  test('leave the table when the query fits them no longer', () => {
    const { feed, send, submit } = dashboard({ endpoints: { demo: { workers: 0 } } });
    const [one, two, three] = [submit(), submit(), submit()];
    const told = feed({ status: 'IN_QUEUE' });
    expect(told.next()!.jobs!.ids).toEqual([three, two, one]);
    send('POST', `demo/cancel/${two}`);
    expect(told.next()!.jobs).toMatchObject({ ids: [three, one], changed: [] });
  });
});

describe('the details of a job', () => {
  test('cut long texts, and say how long they are', () => {
    const { feed, submit } = dashboard();
    const job = submit({ text: 'x'.repeat(200_000) });
    const { text, length } = feed({ job }).next()!.details!.input!;
    expect([text.length, length]).toEqual([100_000, 200_011]);
  });

  test('keep numbers that JavaScript would change', () => {
    const { emulator, feed } = dashboard();
    let id = '';
    emulator
      .handle({ method: 'POST', url: '/v2/demo/run', headers: {}, body: '{"input":{"seed":9007199254740993}}' })
      .subscribe(({ text }) => (id = (JSON.parse(text) as { id: string }).id));
    expect(feed({ job: id }).next()!.details!.input!.text).toBe('{"seed":9007199254740993}');
  });

  test('have the chunks once, then those that are new, and at most 500', () => {
    const handler = (_: unknown, { scheduler }: HandlerContext) =>
      interval(10, scheduler).pipe(
        map((at) => `chunk ${at}`),
        take(700),
      );
    const { feed, submit, until } = dashboard({ endpoints: { demo: { handler, stream: true } } });
    const job = submit();
    const told = feed({ job });
    expect(told.next()!.chunks).toBeUndefined();
    until(35);
    expect(told.next()!.chunks).toMatchObject({ from: 0, items: [{}, {}, { text: '"chunk 2"' }] });
    until(45);
    expect(told.next()!.chunks).toEqual({ from: 3, items: [{ text: '"chunk 3"', length: 9 }] });
    expect(told.next()).toBeUndefined();
    until(60_000);
    const { from, items } = feed({ job }).next()!.chunks!;
    expect([from, items.length, items.at(-1)!.text]).toEqual([200, 500, '"chunk 699"']);
  });

  test('tell of requests to cancel, also of those that changed nothing', () => {
    const { feed, send, submit, until } = dashboard();
    const job = submit();
    until(2_000);
    const told = feed({ job });
    expect(told.next()!.details).toMatchObject({ status: 'COMPLETED', cancelRequests: 0, output: { text: '"done"' } });
    send('POST', `demo/cancel/${job}`);
    const { details } = told.next()!;
    expect(details).toMatchObject({ status: 'COMPLETED', cancelRequests: 1 });
    expect(details!.requests.map(({ operation }) => operation)).toEqual(['run', 'cancel']);
  });
});

test('clients beyond fifty are counted together', () => {
  const { feed, send } = dashboard();
  for (let at = 0; at < 60; at++) send('GET', 'demo/health', undefined, { 'user-agent': `client/${at}` });
  const { clients } = feed().next()!.state!;
  expect(clients).toHaveLength(51);
  expect(clients.find(({ client }) => client === 'others')).toMatchObject({ requests: 10 });
});
