import { firstValueFrom, type Observable } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { runAll } from 'runpod-rx';
import { script, statuses, world, type Answer, type Sent, type World } from '../support/world.js';

const running = { body: { id: 'job', status: 'IN_PROGRESS' } };
const completed = { body: { id: 'job', status: 'COMPLETED', output: 1 } };

const held = (sent: readonly Sent[]) => sent.filter(({ operation }) => operation === 'status-sync');
const plain = (sent: readonly Sent[]) => sent.filter(({ operation }) => operation === 'status');

const idOf = (url: string) => /[^/?]+(?=$|\?)/.exec(url)![0];

/** A job that is over at 1 000 s, on an endpoint that answers a held read as it is told, or holds it. */
const scripted = (sync: (nth: number) => Answer = () => ({ ...running, after: 30_000 })) => {
  let nth = 0;
  const made = script(({ operation, url }) => {
    if (operation === 'status-sync') return sync(++nth);
    const { body } = made.scheduler.now() < 1_000_000 ? running : completed;
    return { body: operation === 'status' ? { ...body, id: idOf(url) } : body };
  });
  return made;
};

/** The most held reads that were on their way at once. */
const mostHeld = ({ emulator }: World) => {
  const reads = emulator.requests().filter(({ operation }) => operation === 'status-sync');
  return Math.max(0, ...reads.map(({ at }) => reads.filter((o) => o.at <= at && (o.endedAt ?? Infinity) > at).length));
};

describe('longPoll', () => {
  test('reads a running job by held reads, and emits its end at once', () => {
    const made = world({ latency: 50 });
    const seen = made.see(made.endpoint.runToEnd({ input: { ms: 70_000 } }, { longPoll: 30_000 }));
    made.until(600_000);
    expect(statuses(seen)).toEqual(['IN_QUEUE', 'IN_PROGRESS', 'COMPLETED']);
    const [job] = made.emulator.jobs();
    expect(seen.ended! - job!.endedAt!).toBeLessThanOrEqual(50);
    expect(made.wire('status', 'status-sync')).toEqual([
      '550-600 status 200',
      '600-30650 status-sync 200',
      '30650-60700 status-sync 200',
      '60700-70050 status-sync 200',
    ]);
  });

  test.each(['watch', 'runSync', 'job'] as const)('%s takes the option', (way) => {
    const made = world({ latency: 50 });
    const { endpoint } = made;
    const request = { input: { ms: 20_000 } };
    const longPoll = 300_000;
    const run = made.see(endpoint.run({ input: { ms: 30_000 } }));
    made.until(1_000);
    const seen = made.see<unknown>(
      way === 'watch'
        ? endpoint.watch(run.values[0]!.id, { longPoll })
        : way === 'job'
          ? endpoint.job(request, { longPoll }).output$
          : endpoint.runSync(request, { longPoll, wait: 1_000 }),
    );
    made.until(100_000);
    expect(seen.ended).toBeDefined();
    expect(made.wire('status-sync')).toHaveLength(1);
    expect(made.wire('status').length).toBeLessThan(20);
  });

  test("a pipeline takes it as an option of its runner's calls", () => {
    const made = world({ latency: 50, endpoints: { demo: { ...delayed, workers: 4 } } });
    const requests = Array.from({ length: 20 }, () => ({ input: { ms: 20_000 } }));
    const seen = made.see(
      runAll((request) => made.endpoint.runToEnd(request, { longPoll: 60_000 }), requests, { concurrency: 8 }),
    );
    made.until(600_000);
    expect(seen.values.filter(({ ok }) => ok)).toHaveLength(20);
    const ends = new Map(made.emulator.jobs().map(({ id, endedAt }) => [id, endedAt!]));
    for (const [nth, item] of seen.values.entries())
      expect(seen.at[nth]! - ends.get(item.snapshot!.id)!).toBeLessThanOrEqual(50);
    expect(made.wire('status-sync')).toHaveLength(20);
  });

  test('S12 asks the service to hold the answer, and waits 15 s longer', () => {
    const { endpoint, see, sent, until } = scripted();
    see(endpoint.watch('job', { longPoll: 30_000 }));
    until(1_000);
    expect(held(sent)).toMatchObject([
      { timeout: 45_000, url: expect.stringMatching(/status-sync\/job\?wait=30000$/) },
    ]);
  });

  test('holds no read unless the option is given', () => {
    const { endpoint, see, sent, until } = scripted();
    see(endpoint.watch('job'));
    until(60_000);
    expect(held(sent)).toEqual([]);
  });

  test('S11 holds no read of a job with a pace of its own', () => {
    const { endpoint, see, sent, until } = scripted();
    see(endpoint.watch('job', { longPoll: 30_000, every: 1_000 }));
    until(10_500);
    expect([held(sent).length, plain(sent).length]).toEqual([0, 11]);
  });

  test('S20 refuses less than a second and more than five minutes', () => {
    const { endpoint, see, sent, until } = scripted();
    const seen = [999, 300_001].flatMap((longPoll) => [
      see<unknown>(endpoint.watch('job', { longPoll })),
      see<unknown>(endpoint.runToEnd({ input: { x: 1 } }, { longPoll })),
      see<unknown>(endpoint.job({ input: { x: 1 } }, { longPoll }).output$),
    ]);
    until(10);
    for (const { error } of seen) expect(error).toMatchObject({ code: 'validation', issues: [{ field: 'longPoll' }] });
    expect(sent).toEqual([]);
  });

  test('S13 aborts the held read on unsubscribe', () => {
    const { endpoint, see, sent, until, scheduler } = scripted();
    const seen = see(endpoint.watch('job', { longPoll: 30_000 }));
    until(5_000);
    seen.subscription.unsubscribe();
    expect(held(sent)).toMatchObject([{ aborted: 5_000 }]);
    expect(scheduler.actions).toEqual([]);
  });

  test('takes an answer that comes early, but after five seconds, for held', () => {
    const { endpoint, see, sent, until } = scripted(() => ({ ...running, after: 6_000 }));
    see(endpoint.watch('job', { longPoll: 300_000 }));
    until(61_000);
    expect(held(sent)).toHaveLength(11);
    expect(plain(sent)).toHaveLength(1);
  });
});

describe('longPoll, where the service does not hold its answers', () => {
  test.each<[string, Answer]>([
    ['says that there is no such path', { status: 404, body: '404 page not found' }],
    ['says it as it says that there is no such job', { status: 404, body: { error: 'job not found' } }],
    ['does not take GET', { status: 405 }],
    ['refuses', { status: 400, body: { error: 'not allowed for QB API' } }],
    ['gives a page', { body: '<html>Hello</html>' }],
    ['gives no job', { body: { error: 'unknown operation' } }],
    ['fails', { status: 501, body: {} }],
    ['answers at once', running],
    ['answers soon', { ...running, after: 2_000 }],
    ['never answers', 'never'],
  ])('%s: reads the plain way for ten minutes, without an error', (_, answer) => {
    const { endpoint, see, sent, until } = scripted(() => answer);
    const seen = see(endpoint.watch('job', { longPoll: 30_000 }));
    until(599_000);
    // One call; what fails for a while is tried again, as any read.
    const probes = held(sent).map(({ at }) => at);
    expect(probes.length).toBeLessThanOrEqual(4);
    expect(probes.at(-1)).toBeLessThan(10_000);
    // As often as without it: at most half a second, then up to five apart.
    const reads = plain(sent).map(({ at }) => at);
    const gaps = reads.slice(1).map((at, nth) => at - reads[nth]!);
    expect(Math.max(...gaps.slice(answer === 'never' ? 2 : 0))).toBeLessThanOrEqual(5_001);
    expect(gaps.filter((gap) => gap < 500).length).toBeLessThanOrEqual(1);
    until(2_000_000);
    expect(held(sent).length).toBeGreaterThan(probes.length);
    expect(seen.error).toBeUndefined();
    expect(seen.values.at(-1)).toMatchObject({ status: 'COMPLETED' });
  });

  test('gives up a held read without an answer 15 s after its time', () => {
    const { endpoint, see, sent, until } = scripted(() => 'never');
    see(endpoint.watch('job', { longPoll: 30_000 }));
    until(60_000);
    expect(held(sent).map(({ at, aborted }) => aborted! - at)).toEqual([45_000]);
    expect(plain(sent)[1]!.at).toBe(held(sent)[0]!.aborted);
  });

  test('S18 does not take the 404 of a held read for lag after the submission', () => {
    const made = script(({ operation }) =>
      operation === 'run'
        ? { body: { id: 'job', status: 'IN_QUEUE' } }
        : operation === 'status-sync'
          ? { status: 404 }
          : running,
    );
    made.see(made.endpoint.runToEnd({ input: { x: 1 } }, { longPoll: 30_000 }));
    made.until(9_000);
    expect(held(made.sent)).toHaveLength(1);
    expect(plain(made.sent).length).toBeGreaterThan(4);
  });

  test('reads all jobs of that endpoint the plain way, and holds reads on other endpoints', () => {
    const { client, see, sent, until } = scripted(() => ({ status: 404 }));
    see(client.endpoint('demo').watch('a', { longPoll: 30_000 }));
    until(10);
    see(client.endpoint('demo').watch('b', { longPoll: 30_000 }));
    see(client.endpoint('other').watch('c', { longPoll: 30_000 }));
    until(60_000);
    expect(held(sent).map(({ url }) => url.replace(/.*v2/, ''))).toEqual([
      '/demo/status-sync/a?wait=30000',
      '/other/status-sync/c?wait=30000',
    ]);
  });

  test('a read that was held before the endpoint was found not to hold any, and ends later, changes nothing', () => {
    // The first job's read is held; those of the others are answered at once.
    const made = script(({ url, operation }) => ({
      body: { id: idOf(url), status: 'IN_PROGRESS' },
      after: operation === 'status-sync' && url.includes('first') ? 30_000 : 0,
    }));
    const watch = (id: string) => made.see(made.endpoint.watch(id, { longPoll: 30_000 }));
    watch('first');
    made.until(10_000);
    watch('second');
    made.until(610_500);
    // Ten minutes after the answer that came at once, no more than a few are tried again.
    for (let nth = 0; nth < 12; nth++) watch(`later-${nth}`);
    const before = held(made.sent).length;
    made.until(612_000);
    expect(before).toBe(2);
    expect(held(made.sent).length - before).toBeLessThanOrEqual(4);
  });

  test('an expired job is an error, and the endpoint is still read by held reads', () => {
    const made = script(({ url }) =>
      url.includes('gone') && made.scheduler.now() >= 1_000
        ? { status: 404, body: { error: 'job not found' } }
        : { body: { id: idOf(url), status: 'IN_PROGRESS' }, after: url.includes('status-sync') ? 30_000 : 0 },
    );
    const gone = made.see(made.endpoint.watch('gone', { longPoll: 30_000 }));
    made.see(made.endpoint.watch('here', { longPoll: 30_000 }));
    made.until(100_000);
    expect(gone.error).toMatchObject({ code: 'job_expired', operation: 'status' });
    expect(gone.ended).toBe(30_000);
    expect(held(made.sent).filter(({ url }) => url.includes('here'))).toHaveLength(4);
  });
});

describe('S7 a read that is held', () => {
  test('is aborted for a caller that wants an answer at once, and made again after it', () => {
    const { endpoint, see, sent, until } = scripted();
    see(endpoint.watch('job', { longPoll: 30_000 }));
    until(10_000);
    const asked = see(endpoint.status('job'));
    until(20_000);
    expect(asked).toMatchObject({ ended: 10_000, values: [{ status: 'IN_PROGRESS' }] });
    expect(held(sent).map(({ at, aborted }) => [at, aborted])).toEqual([
      [0, 10_000],
      [10_000, undefined],
    ]);
  });

  test('does not delay a watcher with a pace of its own', () => {
    const { endpoint, see, sent, until } = scripted();
    see(endpoint.watch('job', { longPoll: 30_000 }));
    see(endpoint.watch('job', { every: 5_000 }));
    until(60_500);
    expect(plain(sent).filter(({ aborted }) => aborted === undefined).length).toBeGreaterThanOrEqual(13);
    // One is in flight at a time.
    for (const [nth, { at, aborted = Infinity }] of held(sent).entries())
      expect(held(sent)[nth + 1]?.at ?? Infinity).toBeGreaterThanOrEqual(Math.min(aborted, at + 30_000));
  });

  test('is shared by all watchers with the option', () => {
    const { endpoint, see, sent, until } = scripted();
    const seen = [30_000, 60_000].map((longPoll) => see(endpoint.watch('job', { longPoll })));
    until(1_000_100);
    expect(held(sent).length).toBeLessThanOrEqual(34);
    for (const { values } of seen) expect(values.at(-1)).toMatchObject({ status: 'IN_PROGRESS' });
  });

  test('is aborted when the job is cancelled, and the job is read at once', () => {
    const made = world({ latency: 50 });
    const run = made.see(made.endpoint.run({ input: { ms: 60_000 } }));
    made.until(1_000);
    const { id } = run.values[0]!;
    const seen = made.see(made.endpoint.watch(id, { longPoll: 30_000 }));
    made.until(5_000);
    made.see(made.endpoint.cancel(id));
    made.until(60_000);
    expect(statuses(seen)).toEqual(['IN_PROGRESS', 'CANCELLED']);
    expect(seen.ended).toBeLessThanOrEqual(5_100);
  });

  test('S23 is made only as far as the limits allow; the other jobs are read the plain way', () => {
    const made = world(
      { latency: 50, endpoints: { demo: { ...delayed, workers: 10 } } },
      { limits: { 'status-sync': { concurrent: 3 } } },
    );
    const seen = Array.from({ length: 8 }, (_, nth) =>
      made.see(made.endpoint.runToEnd({ input: { ms: 40_000 + nth * 1_000 } }, { longPoll: 60_000 })),
    );
    made.until(600_000);
    expect(mostHeld(made)).toBe(3);
    const ends = made.emulator.jobs().map(({ endedAt }) => endedAt!);
    for (const [nth, { ended, values }] of seen.entries()) {
      expect(values.at(-1)).toMatchObject({ status: 'COMPLETED' });
      expect(ended! - ends[nth]!).toBeLessThan(5_100);
    }
    const waits = made.activity.filter(({ type, operation }) => type === 'wait' && operation === 'status-sync');
    expect(waits).toEqual([]);
  });

  test('S4 is aborted on unsubscribe, and the job is cancelled', async () => {
    const made = world({ latency: 50 });
    const seen = made.see(made.endpoint.runToEnd({ input: { ms: 60_000 } }, { longPoll: 30_000 }));
    made.until(5_000);
    seen.subscription.unsubscribe();
    const report = firstValueFrom(made.client.settled());
    made.until(10_000);
    expect((await report).cancelled).toHaveLength(1);
    expect(made.wire('status-sync')).toEqual([expect.stringMatching(/aborted$/)]);
  });
});

const delayed = {
  handler: ({ input }: { input: Record<string, unknown> }, { delay }: { delay(ms: number): Observable<unknown> }) =>
    delay(Number(input.ms)),
};
