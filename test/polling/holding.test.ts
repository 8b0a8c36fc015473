import { EMPTY, catchError, of, type Observable } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { failover, hedge, runAll, runEach, type ClientOptions, type Endpoint, type WatchOptions } from 'runpod-rx';
import { timers } from '../job/support.js';
import { script, type Answer, type Script, type Sent } from '../support/world.js';

const held = (sent: readonly Sent[]) => sent.filter(({ operation }) => operation === 'status-sync');
const plain = (sent: readonly Sent[]) => sent.filter(({ operation }) => operation === 'status');
const cancels = (sent: readonly Sent[]) => sent.filter(({ operation }) => operation === 'cancel');

const idOf = (url: string) => /[^/?]+(?=$|\?)/.exec(url)![0];

/** How long the request asks the service to hold its answer, in milliseconds; 0 where it does not. */
const waitOf = (url: string) => Number(new URL(url).searchParams.get('wait') ?? 0);

/** The times at which the requests were made. */
const timesOf = (sent: readonly Sent[]) => sent.map(({ at }) => at);

/**
 * A service whose jobs run at once, and go on for ever: it holds an answer for as long as it is asked to, unless the test
 * says how it answers.
 */
const service = (sync: (sent: Sent, nth: number) => Answer = () => ({}), options: Partial<ClientOptions> = {}) => {
  let jobs = 0;
  let reads = 0;
  const made: Script = script((request) => {
    const { operation, url } = request;
    const id = operation.startsWith('run') ? `job-${++jobs}` : idOf(url);
    const running = { id, status: 'IN_PROGRESS' };
    switch (operation) {
      case 'status-sync': {
        const answer = sync(made.sent.at(-1)!, ++reads);
        if (answer === 'never' || 'phase' in answer) return answer;
        const { body = { ...running }, after = waitOf(url), ...given } = answer;
        return { ...given, body, after };
      }
      case 'stream':
        return { body: { status: 'IN_PROGRESS', stream: [] }, after: 10_000 };
      case 'cancel':
        return { body: { id, status: 'CANCELLED' } };
      default:
        return { body: running };
    }
  }, options);
  return made;
};

const request = { input: { x: 1 } };

/** The ways of following a job of which only the end is of interest. */
const toTheEnd: readonly [name: string, (endpoint: Endpoint, options?: WatchOptions) => Observable<unknown>][] = [
  ['runToEnd', (endpoint, options) => endpoint.runToEnd(request, options)],
  ['runSync, after its wait,', (endpoint, options) => endpoint.runSync(request, { wait: 1_000, ...options })],
  ['the view output$ alone', (endpoint, options) => endpoint.job(request, options).output$],
  ['runAll', (endpoint, options) => runAll((one) => endpoint.runToEnd(one, options), [request])],
  ['runEach', (endpoint, options) => of(request).pipe(runEach((one) => endpoint.runToEnd(one, options)))],
  [
    'hedge',
    (endpoint, options) =>
      hedge<Record<string, unknown>, unknown>((one) => endpoint.runToEnd(one, options), { after: 900_000 })(request, 0),
  ],
  [
    'failover',
    (endpoint, options) =>
      failover<Record<string, unknown>, unknown>([(one) => endpoint.runToEnd(one, options)])(request, 0),
  ],
];

/** The ways of following a job of which more is of interest. */
const allTheWay: readonly (readonly [
  name: string,
  (endpoint: Endpoint, options?: WatchOptions) => Observable<unknown>,
])[] = [
  ['watch', (endpoint, options) => endpoint.watch('job-1', options)],
  ...(['state$', 'events$', 'progress$', 'chunks$'] as const).map(
    (view) =>
      [
        `the view ${view}`,
        (endpoint: Endpoint, options?: WatchOptions) => endpoint.job(request, options)[view],
      ] as const,
  ),
];

describe('by default', () => {
  test.each(toTheEnd)('%s has the service hold reads for 25 s, and waits 15 s longer', (_, follow) => {
    const { endpoint, see, sent, until } = service();
    see(follow(endpoint));
    until(70_000);
    const [first, second] = held(sent);
    expect(waitOf(first!.url)).toBe(25_000);
    expect(first!.timeout).toBe(40_000);
    expect(second!.at - first!.at).toBe(25_000);
    expect(plain(sent).length).toBeLessThanOrEqual(1);
  });

  test.each(['runAll', 'runEach'] as const)('%s holds reads also where it is given an endpoint', (name) => {
    const { endpoint, see, sent, until } = service();
    see<unknown>(name === 'runAll' ? runAll(endpoint, [request]) : of(request).pipe(runEach(endpoint)));
    until(10_000);
    expect(held(sent)).toHaveLength(1);
  });

  test.each(allTheWay)('%s has no read held', (_, follow) => {
    const { endpoint, see, sent, until } = service();
    see(follow(endpoint));
    until(70_000);
    expect(held(sent)).toEqual([]);
    expect(plain(sent).length).toBeGreaterThan(10);
  });

  test.each(['queue', 'execution'] as const)('S12 a job with a deadline for its %s has no read held', (part) => {
    const { endpoint, see, sent, until } = service();
    see(endpoint.job(request, { timeout: { [part]: 600_000 } }).output$);
    until(70_000);
    expect(held(sent)).toEqual([]);
  });

  test('S12 a job with a deadline for all of it has its reads held', () => {
    const { endpoint, see, sent, until } = service();
    see(endpoint.job(request, { timeout: 600_000 }).output$);
    until(70_000);
    expect(held(sent)).toHaveLength(3);
  });
});

describe.each(toTheEnd)('%s', (_, follow) => {
  test('has reads held for as long as a number says', () => {
    const { endpoint, see, sent, until } = service();
    see(follow(endpoint, { longPoll: 60_000 }));
    until(70_000);
    expect(held(sent).map(({ url, timeout }) => [waitOf(url), timeout])).toEqual([
      [60_000, 75_000],
      [60_000, 75_000],
    ]);
  });

  test.each<[string, WatchOptions]>([
    ['longPoll is false', { longPoll: false }],
    ['it has a pace of its own', { every: 5_000 }],
    ['it has a policy of its own', { poll: () => 5_000 }],
  ])('S11 has no read held where %s', (__, options) => {
    const { endpoint, see, sent, until } = service();
    see(follow(endpoint, options));
    until(70_000);
    expect(held(sent)).toEqual([]);
    expect(plain(sent).length).toBeGreaterThanOrEqual(13);
  });
});

describe('a number for longPoll', () => {
  test('has the reads of watch held', () => {
    const { endpoint, see, sent, until } = service();
    see(endpoint.watch('job-1', { longPoll: 60_000 }));
    until(70_000);
    expect(held(sent).map(({ url }) => waitOf(url))).toEqual([60_000, 60_000]);
  });

  test.each(allTheWay.slice(1))('has no read held for %s, which would miss what happens meanwhile', (_, follow) => {
    const { endpoint, see, sent, until } = service();
    see(follow(endpoint, { longPoll: 60_000 }));
    until(70_000);
    expect(held(sent)).toEqual([]);
  });
});

describe('S4 in the middle of a held read', () => {
  const midway = (follow: (endpoint: Endpoint) => Observable<unknown>) => {
    const made = service();
    const seen = made.see(follow(made.endpoint));
    made.until(10_000);
    expect(held(made.sent).at(-1)).not.toHaveProperty('aborted');
    return { ...made, seen };
  };

  test.each(toTheEnd)('leaving %s aborts the read at once, and cancels the job', (_, follow) => {
    const made = midway((endpoint) => follow(endpoint));
    made.seen.subscription.unsubscribe();
    expect(held(made.sent).at(-1)).toMatchObject({ aborted: 10_000 });
    made.until(20_000);
    expect(timesOf(cancels(made.sent))).toEqual([10_000]);
    expect(timers(made)).toBe(0);
  });

  test.each(toTheEnd.slice(0, 2))('the timeout of %s aborts it, and cancels the job', (_, follow) => {
    const made = midway((endpoint) => follow(endpoint, { timeout: 12_000 }));
    made.until(60_000);
    expect(made.seen).toMatchObject({ ended: 12_000, error: { code: 'request_timeout' } });
    expect(held(made.sent)).toMatchObject([{ aborted: 12_000 }]);
    expect(timesOf(cancels(made.sent))).toEqual([12_000]);
    expect(timers(made)).toBe(0);
  });

  test('S8 the deadline of a job aborts it, reads the job once, and cancels it', () => {
    const made = midway((endpoint) => endpoint.job(request, { timeout: 12_000 }).output$);
    made.until(60_000);
    expect(made.seen.error).toMatchObject({ code: 'job_deadline' });
    expect(held(made.sent)).toMatchObject([{ aborted: 12_000 }]);
    expect(made.sent.slice(-3).map(({ at, operation }) => [at, operation])).toEqual([
      [12_000, 'status'],
      [12_000, 'cancel'],
      [12_000, 'status'],
    ]);
    expect(timers(made)).toBe(0);
  });

  test.each(toTheEnd.slice(0, 3))('the signal of %s aborts it, and cancels the job', (_, follow) => {
    const controller = new AbortController();
    const made = midway((endpoint) => follow(endpoint, { signal: controller.signal }));
    controller.abort();
    made.until(20_000);
    expect(made.seen).toMatchObject({ ended: 10_000, error: { name: 'AbortError' } });
    expect(held(made.sent)).toMatchObject([{ aborted: 10_000 }]);
    expect(timesOf(cancels(made.sent))).toEqual([10_000]);
    expect(timers(made)).toBe(0);
  });

  test.each(toTheEnd.slice(0, 3))('closing the client aborts that of %s', (_, follow) => {
    const made = midway((endpoint) => follow(endpoint));
    made.see(made.client.close());
    made.until(200_000);
    expect(made.seen).toMatchObject({ ended: 10_000, error: { code: 'client_closed' } });
    expect(held(made.sent)).toMatchObject([{ aborted: 10_000 }]);
    expect(held(made.sent)).toHaveLength(1);
    expect(timers(made)).toBe(0);
  });
});

describe('where held reads fail', () => {
  const HOUR = 3_600_000;
  const END = HOUR;

  /** Reads one job for an hour; returns the times of the held reads. */
  const heldAt = (sync: (sent: Sent, nth: number) => Answer) => {
    const { endpoint, see, sent, until } = service(sync);
    const seen = see(endpoint.watch('job-1', { longPoll: 25_000 }));
    until(END);
    expect(seen.error).toBeUndefined();
    return { at: timesOf(held(sent)), plain: timesOf(plain(sent)), sent };
  };

  test.each<[string, Answer]>([
    ['a gateway says 502 after 3 s', { status: 502, body: '<html>', after: 3_000 }],
    ['no connection comes about', { phase: 'connect' }],
    ['the connection is lost at once', { phase: 'sent' }],
  ])('%s three times in a row: the job is read plainly for ten minutes, and then tried anew', (_, answer) => {
    const { at } = heldAt(() => answer);
    expect(at.filter((time) => time < 600_000)).toHaveLength(3);
    // Three more each ten minutes.
    expect(at.length).toBeGreaterThanOrEqual(15);
    expect(at.length).toBeLessThanOrEqual(18);
  });

  test('one cut among many changes nothing', () => {
    const { at, plain: reads } = heldAt((_, nth) => (nth % 3 ? {} : { status: 502, body: '', after: 3_000 }));
    expect(at.length).toBeGreaterThan(150);
    // One for each cut, and the first.
    expect(reads.length).toBe(Math.floor(at.length / 3) + 1);
  });

  test('two cuts in a row change nothing, if the next is held', () => {
    const { at } = heldAt((_, nth) => (nth % 3 === 0 ? {} : { status: 502, body: '', after: 1_000 }));
    expect(at.length).toBeGreaterThan(300);
  });

  test('reads that are cut together count as one', () => {
    // All that are held at 40 s, at 80 s and so on are cut.
    const made = service(({ at }) => {
      const cutIn = 40_000 - (at % 40_000);
      return cutIn < 25_000 ? { status: 502, body: '', after: cutIn } : {};
    });
    for (let nth = 0; nth < 20; nth++) {
      made.at(nth * 1_000, () => {
        made.see(made.endpoint.watch(`job-${nth}`, { longPoll: 25_000 }));
      });
    }
    made.until(600_000);
    const cut = held(made.sent).filter(({ at }) => 40_000 - (at % 40_000) < 25_000);
    expect(cut.length).toBeGreaterThan(60);
    expect(held(made.sent).at(-1)!.at).toBeGreaterThan(570_000);
  });

  test('a network that swallows them costs four jobs one wait and its margin, once; the others are read plainly', () => {
    const made = service(() => 'never');
    for (let nth = 0; nth < 20; nth++) made.see(made.endpoint.watch(`job-${nth}`, { longPoll: 25_000 }));
    made.until(599_000);
    expect(held(made.sent).map(({ at, aborted, url }) => [at, aborted, idOf(new URL(url).pathname)])).toEqual(
      [0, 1, 2, 3].map((nth) => [0, 40_000, `job-${nth}`]),
    );
    for (let nth = 0; nth < 20; nth++) {
      const reads = timesOf(plain(made.sent).filter(({ url }) => url.endsWith(`job-${nth}`)));
      const gaps = reads.slice(1).map((at, index) => at - reads[index]!);
      expect(gaps.filter((gap) => gap > 5_001)).toEqual(nth < 4 ? [40_000] : []);
    }
    // Ten minutes after that, four try anew.
    made.until(660_000);
    expect(held(made.sent)).toHaveLength(8);
    expect(held(made.sent)[4]!.at).toBeGreaterThanOrEqual(640_000);
  });

  test('four are tried at first, and all once an answer was held', () => {
    const made = service();
    for (let nth = 0; nth < 20; nth++) made.see(made.endpoint.watch(`job-${nth}`, { longPoll: 25_000 }));
    made.until(24_999);
    expect(held(made.sent)).toHaveLength(4);
    made.until(25_100);
    expect(held(made.sent)).toHaveLength(4 + 20);
  });

  test('other endpoints are not affected', () => {
    const made = service(({ url }) => (url.includes('/bad/') ? { status: 404, body: '', after: 0 } : {}));
    made.see(made.client.endpoint('bad').watch('job-1', { longPoll: 25_000 }));
    made.see(made.client.endpoint('good').watch('job-1', { longPoll: 25_000 }));
    made.until(100_000);
    const count = (name: string) => held(made.sent).filter(({ url }) => url.includes(name)).length;
    expect([count('/bad/'), count('/good/')]).toEqual([1, 5]);
  });

  test('S23 a 429 with a long pause leaves no job unread meanwhile, and is no silence', () => {
    const made = service(({ at }) =>
      at < 10_000 ? { status: 429, body: '', after: 100, headers: { 'retry-after': '50' } } : {},
    );
    made.see(made.endpoint.watch('job-1', { longPoll: 25_000 }));
    made.until(200_000);
    const reads = timesOf(made.sent);
    expect(Math.max(...reads.slice(1).map((at, nth) => at - reads[nth]!))).toBeLessThanOrEqual(25_000);
    // When the pause is over.
    expect(timesOf(held(made.sent)).slice(0, 3)).toEqual([0, 50_100, 75_100]);
  });

  test('S23 calls of the user that fill the places have a running job read plainly, and are no silence', () => {
    const made = service(() => ({}), { limits: { 'status-sync': { concurrent: 1 } } });
    made.see(made.endpoint.watch('job-1', { longPoll: 25_000 }));
    made.until(24_999);
    for (let nth = 0; nth < 5; nth++)
      made.see(made.endpoint.request('status-sync/other', { query: { wait: 90_000 } }).pipe(catchError(() => EMPTY)));
    made.until(600_000);
    const mine = made.sent.filter(({ url }) => url.includes('job-1'));
    const gaps = mine.slice(1).map(({ at }, nth) => at - mine[nth]!.at);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(25_000);
    expect(held(mine).at(-1)!.at).toBeGreaterThan(500_000);
  });
});
