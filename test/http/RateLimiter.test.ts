import { VirtualTimeScheduler, merge, tap } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { createRunpod } from 'runpod-rx';
import type { Limits, LimitsOption } from 'runpod-rx';
import { createEmulator } from 'runpod-rx/testing';
import type { EmulatorOptions, RequestRecord } from 'runpod-rx/testing';
import { script, world } from '../support/world.js';

const input = { ms: 0 };

/** A random number generator that gives the same numbers in each run. */
function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** The highest number of requests in flight at the same time, as the client sees it. */
function mostAtOnce(requests: readonly RequestRecord[]): number {
  const steps = requests
    .flatMap(({ at, endedAt = Infinity }) => [
      { when: at, by: 1 },
      { when: endedAt, by: -1 },
    ])
    .sort((a, b) => a.when - b.when || a.by - b.by);
  let now = 0;
  return Math.max(...steps.map(({ by }) => (now += by)));
}

const requestsOf = (requests: readonly RequestRecord[], operation: string) =>
  requests.filter((request) => request.operation === operation);

describe.each(['sliding', 'fixed'] as const)('S23 under a %s window', (rateWindow) => {
  const play = (
    count: number,
    limits: LimitsOption,
    more: Partial<EmulatorOptions>,
    processes = 1,
    emulated: Limits | 'documented' = limits as Limits,
  ) => {
    const scheduler = new VirtualTimeScheduler();
    const random = seededRandom(7);
    const emulator = createEmulator({
      endpoints: { demo: { handler: ({ input: { ms } }, { delay }) => delay(Number(ms)), workers: 100 } },
      limits: emulated,
      rateWindow,
      scheduler,
      latency: () => Math.floor(random() * 400),
      ...more,
    });
    let done = 0;
    for (let n = 0; n < processes; n++) {
      const endpoint = createRunpod({
        transport: emulator.transport,
        scheduler,
        random,
        apiKey: 'key',
        limits,
      }).endpoint('demo');
      merge(...Array.from({ length: count }, (_, nth) => endpoint.run({ input: { ms: 100, nth } }))).subscribe(
        () => done++,
      );
    }
    scheduler.flush();
    return { emulator, done, runs: requestsOf(emulator.requests(), 'run'), scheduler };
  };

  test('own limits: meets no 429, uses the full concurrency, and takes no longer than necessary', () => {
    const { done, runs } = play(100, { run: { requests: 20, per: 5_000, concurrent: 6 } }, {});
    expect(done).toBe(100);
    expect(runs).toHaveLength(100);
    expect(runs.filter(({ status }) => status !== 200)).toEqual([]);
    expect(mostAtOnce(runs)).toBe(6);
    // Five windows of 20 requests: the last window only has to begin. Answers may delay each of the four before it.
    expect(runs.at(-1)!.at).toBeLessThan(4 * (5_000 + 4 * 400 + 1));
  });

  test(
    'the documented limits: meets no 429, with 200 requests at once and 1 000 in ten seconds',
    { timeout: 60_000 },
    () => {
      const { done, runs } = play(1_200, 'documented', { endpoints: { demo: { handler: () => 1, workers: 1 } } });
      expect(done).toBe(1_200);
      expect(runs.filter(({ status }) => status !== 200)).toEqual([]);
      expect(mostAtOnce(runs)).toBe(200);
      expect(runs.filter(({ at }) => at < 10_000)).toHaveLength(1_000);
      expect(runs.at(-1)!.at).toBeLessThan(13_000);
    },
  );

  test('share: four clients with a quarter each meet no 429', { timeout: 60_000 }, () => {
    const limits = { run: { requests: 1000, concurrent: 200 } };
    const { done, runs } = play(280, { share: 0.25 }, {}, 4, limits);
    expect(done).toBe(1_120);
    expect(runs.filter(({ status }) => status !== 200)).toEqual([]);
    expect(mostAtOnce(runs)).toBe(200);
  });

  test('submissions, polls and cancels each keep within their own limits', () => {
    const limits = {
      run: { requests: 10, per: 2_000, concurrent: 4 },
      status: { requests: 15, per: 2_000, concurrent: 3 },
      cancel: { requests: 3, per: 2_000, concurrent: 1 },
    };
    const random = seededRandom(3);
    const { client, endpoint, emulator, see, until } = world(
      { limits, rateWindow, latency: () => Math.floor(random() * 300) },
      { limits, random },
    );
    const seen = Array.from({ length: 30 }, (_, nth) =>
      see(endpoint.runSync({ input: { ms: nth * 100 } }, { wait: 1_000, every: 50 })),
    );
    for (let nth = 0; nth < 10; nth++) {
      const abandoned = see(endpoint.run({ input: { ms: 50_000 } }));
      abandoned.subscription.unsubscribe();
    }
    const abandoned = Array.from({ length: 10 }, () => see(endpoint.run({ input: { ms: 50_000 } })));
    until(1_500);
    for (const { subscription } of abandoned) subscription.unsubscribe();
    until(600_000);
    expect(see(client.settled()).ended).toBeDefined();
    expect(emulator.requests().filter(({ status }) => status === 429)).toEqual([]);
    expect(seen.every(({ values }) => values[0]?.status === 'COMPLETED')).toBe(true);
    expect(mostAtOnce(requestsOf(emulator.requests(), 'run'))).toBe(4);
    expect(mostAtOnce(requestsOf(emulator.requests(), 'status'))).toBe(3);
  });
});

describe('S23 the budget', () => {
  test('is first come, first served', () => {
    const limits = { run: { requests: 3, per: 1_000, concurrent: 2 } };
    const { endpoint, emulator, see, until } = world({ latency: 100 }, { limits });
    for (let nth = 0; nth < 20; nth++) see(endpoint.run({ input: { nth } }));
    until(100_000);
    expect(emulator.jobs().map(({ input: given }) => (given as { nth: number }).nth)).toEqual(
      Array.from({ length: 20 }, (_, nth) => nth),
    );
  });

  test('frees the place of a waiting request that is unsubscribed', () => {
    const limits = { run: { concurrent: 1 } };
    const { endpoint, emulator, see, until } = world({ latency: 100 }, { limits });
    const waiters = [0, 1, 2, 3].map((nth) => see(endpoint.run({ input: { nth } })));
    waiters[1]!.subscription.unsubscribe();
    waiters[2]!.subscription.unsubscribe();
    until(1_000);
    expect(emulator.jobs()).toMatchObject([{ input: { nth: 0 } }, { input: { nth: 3 } }]);
    expect(waiters[3]).toMatchObject({ ended: 200 });
  });

  test('aborts an unsubscribed request before it sends the next request', () => {
    const { endpoint, activity, see } = script(() => 'never', { limits: { status: { concurrent: 1 } } });
    const first = see(endpoint.status('a'));
    see(endpoint.status('b'));
    first.subscription.unsubscribe();
    expect(activity.map(({ type, jobId }) => `${type} ${jobId}`)).toEqual([
      'request a',
      'wait b',
      'abort a',
      'request b',
    ]);
  });

  test('gives no place to a request that is aborted while another request is admitted', () => {
    const { endpoint, sent, at, see, until } = script(() => ({ body: { status: 'COMPLETED' } }), {
      limits: { status: { requests: 2, per: 1_000 } },
    });
    const controller = new AbortController();
    // Starts when the waiting request is due, just before the waiting request is admitted.
    at(1_001, () => see(endpoint.status('aborted', { signal: controller.signal })));
    for (const id of ['a', 'b']) see(endpoint.status(id));
    see(endpoint.status('waiting').pipe(tap(() => controller.abort())));
    at(1_500, () => {
      for (const id of ['c', 'd']) see(endpoint.status(id));
    });
    until(10_000);
    expect(sent.map(({ url, at: when }) => `${when} ${url.split('/').pop()}`)).toEqual([
      '0 a',
      '0 b',
      '1001 waiting',
      '1500 c',
      '2002 d',
    ]);
  });

  test.each(['unsubscribing', 'an error', 'a timeout'])('frees the place of a request after %s', (how) => {
    const { endpoint, sent, see, until } = script(() => (how === 'an error' ? { phase: 'sent' } : 'never'), {
      limits: { status: { concurrent: 1 } },
      retry: false,
      requestTimeout: 500,
    });
    const first = see(endpoint.status('a'));
    see(endpoint.status('b'));
    if (how === 'unsubscribing') first.subscription.unsubscribe();
    until(600);
    expect(sent).toHaveLength(2);
  });

  test('keeps the place of an abandoned submission until its answer comes', () => {
    const { endpoint, sent, see, until } = script(() => ({ body: { id: 'a', status: 'IN_QUEUE' }, after: 1_000 }), {
      limits: { run: { concurrent: 1 } },
    });
    see(endpoint.run({ input })).subscription.unsubscribe();
    see(endpoint.run({ input }));
    until(999);
    expect(sent).toHaveLength(1);
    until(1_000);
    expect(sent.filter(({ operation }) => operation === 'run')).toHaveLength(2);
  });

  test('also makes repeats wait for their turn', () => {
    const limits = { status: { requests: 1, per: 10_000 } };
    const { endpoint, sent, see, until } = script(
      (_, nth) => (nth === 1 ? { status: 503 } : { body: { id: 'a', status: 'COMPLETED' } }),
      { limits },
    );
    see(endpoint.status('a'));
    until(100_000);
    expect(sent.map(({ at }) => at)).toEqual([0, 10_001]);
  });

  test('is separate for each endpoint and each operation', () => {
    const limits = { run: { concurrent: 1 }, status: { concurrent: 1 } };
    const { client, endpoint, sent, see } = script(() => 'never', { limits });
    for (const each of [endpoint, client.endpoint('demo'), client.endpoint('other')]) {
      see(each.run({ input }));
      see(each.status('a'));
      see(each.health());
    }
    expect(sent.map(({ url }) => url.replace('https://api.runpod.ai/v2/', ''))).toEqual([
      'demo/run',
      'demo/status/a',
      'demo/health',
      'demo/health',
      'other/run',
      'other/status/a',
      'other/health',
    ]);
  });

  test('rounds a share down, to at least one request', () => {
    const count = (share: number, call: 'purgeQueue' | 'cancel', at = 0) => {
      const { endpoint, sent, see, until } = script(() => 'never', { limits: { share } });
      for (let nth = 0; nth < 30; nth++)
        see<unknown>(call === 'cancel' ? endpoint.cancel(`job-${nth}`) : endpoint.purgeQueue());
      until(at);
      return sent.length;
    };
    expect(count(1, 'cancel')).toBe(20);
    expect(count(0.25, 'cancel')).toBe(5);
    expect(count(0.99, 'cancel')).toBe(19);
    expect(count(0.001, 'cancel')).toBe(1);
    expect(count(1, 'purgeQueue')).toBe(2);
    expect(count(0.1, 'purgeQueue')).toBe(1);
  });

  test('does not exist with limits: false', () => {
    const { endpoint, sent, see } = script(() => 'never', { limits: false });
    for (let nth = 0; nth < 500; nth++) see(endpoint.run({ input }));
    expect(sent).toHaveLength(500);
  });

  test('does not limit an operation that own limits do not name', () => {
    const { endpoint, sent, see } = script(() => 'never', { limits: { run: { concurrent: 1 } } });
    for (let nth = 0; nth < 50; nth++) see(endpoint.cancel(`job-${nth}`));
    expect(sent).toHaveLength(50);
  });

  test('reports waiting requests in activity$', () => {
    const { endpoint, activity, see, until } = script(() => ({ body: { id: 'a', status: 'IN_QUEUE' }, after: 1_000 }), {
      limits: { run: { concurrent: 1 } },
    });
    for (let nth = 0; nth < 3; nth++) see(endpoint.run({ input }));
    until(10_000);
    const waits = activity.filter(({ type }) => type === 'wait');
    expect(waits).toMatchObject([
      { at: 0, endpointId: 'demo', operation: 'run', call: 2, waiting: 1 },
      { at: 0, endpointId: 'demo', operation: 'run', call: 3, waiting: 2 },
    ]);
    expect(waits).toHaveLength(2);
  });

  test('delays later requests of the same operation after a 429, and no other operation', () => {
    const { endpoint, sent, see, at, until } = script(({ operation }, nth) =>
      nth === 1
        ? { status: 429, headers: { 'retry-after': '5' } }
        : { body: { id: 'a', status: operation === 'run' ? 'IN_QUEUE' : 'COMPLETED' } },
    );
    see(endpoint.run({ input }));
    at(1_000, () => {
      see(endpoint.run({ input }));
      see(endpoint.status('a'));
    });
    until(100_000);
    expect(sent.filter(({ operation }) => operation === 'status').map((request) => request.at)).toEqual([1_000]);
    const [first, ...later] = sent.filter(({ operation }) => operation === 'run');
    expect(first!.at).toBe(0);
    expect(later).toHaveLength(2);
    for (const request of later) expect(request.at).toBeGreaterThanOrEqual(5_000);
  });

  test('S11 S23 reads a job whose read is due just when the pause for a waiting call is over', () => {
    const { endpoint, sent, see, at, until } = script(
      ({ url }) =>
        url.endsWith('/refused')
          ? { status: 429, headers: { 'retry-after': '4' } }
          : { body: { id: url.split('/').pop(), status: 'IN_PROGRESS' } },
      { limits: { status: { requests: 100, per: 1_000 } }, retry: false },
    );
    // The timer of the read is set before that of the waiting call, so the read comes first.
    see(endpoint.watch('watched', { every: 5_000 }));
    at(1_000, () => see(endpoint.status('refused')));
    at(1_500, () => see(endpoint.status('waiting')));
    until(15_000);
    expect(sent.map(({ url, at: when }) => `${when} ${url.split('/').pop()}`)).toEqual([
      '0 watched',
      '1000 refused',
      '5000 waiting',
      '5000 watched',
      '10000 watched',
      '15000 watched',
    ]);
  });

  describe('adapts', () => {
    /** How many requests were sent in each second. */
    const perSecond = (sent: readonly { readonly at: number }[], seconds: number) =>
      Array.from({ length: seconds }, (_, n) => sent.filter(({ at }) => Math.floor(at / 1_001) === n).length);

    test('after a 429 sends fewer requests, then more and more up to the limit', () => {
      const { endpoint, sent, see, until } = script(
        (_, nth) => (nth === 1 ? { status: 429 } : { body: { id: 'a', status: 'COMPLETED' } }),
        { limits: { status: { requests: 20, per: 1_000 } }, retry: false },
      );
      for (let n = 0; n < 1_000; n++) see(endpoint.status(`job-${n}`));
      until(60_000);
      const rates = perSecond(sent, 30);
      expect(sent).toHaveLength(1_000);
      expect(rates[1]).toBe(14);
      expect(rates).toContain(17);
      expect(rates[25]).toBe(20);
      for (const [n, rate] of rates.entries()) if (n > 1) expect(rate).toBeGreaterThanOrEqual(rates[n - 1]!);
    });

    test('counts refusals at the same time as one refusal, and slows down to a tenth after many in a row', () => {
      const { endpoint, sent, see, until } = script(() => ({ status: 429 }), {
        limits: { status: { requests: 20, per: 1_000 } },
        retry: false,
      });
      for (let n = 0; n < 300; n++) see(endpoint.status(`job-${n}`));
      until(60_000);
      const rates = perSecond(sent, 30);
      // The first refusal comes at once, so the first second already has the lower rate.
      expect(rates.slice(0, 3)).toEqual([14, 10, 7]);
      expect(rates[20]).toBe(2);
    });

    test.each([
      ['documented', 600],
      [{ share: 0.5 }, 300],
      [{ cancel: { requests: 100, concurrent: 20 } }, 100],
    ] as const)('%o: after health showed thirty running workers, sends %i cancels in ten seconds', (limits, count) => {
      const { endpoint, sent, see, at, until } = script(
        ({ operation }) => ({
          body: operation === 'health' ? { jobs: {}, workers: { running: 30 } } : { id: 'a', status: 'CANCELLED' },
        }),
        { limits },
      );
      see(endpoint.health());
      at(1, () => {
        for (let n = 0; n < 1_000; n++) see(endpoint.cancel(`job-${n}`));
      });
      until(9_000);
      expect(sent.filter(({ operation }) => operation === 'cancel')).toHaveLength(count);
    });

    test.each([
      ['more than a minute old', { running: 30 }, 61_000],
      ['not a number', { running: 'many' }, 1],
    ])('ignores a worker count that is %s', (_, workers, after) => {
      const { endpoint, sent, see, at, until } = script(({ operation }) => ({
        body: operation === 'health' ? { jobs: {}, workers } : { id: 'a', status: 'CANCELLED' },
      }));
      see(endpoint.health());
      at(after, () => {
        for (let n = 0; n < 1_000; n++) see(endpoint.cancel(`job-${n}`));
      });
      until(after + 9_000);
      expect(sent.filter(({ operation }) => operation === 'cancel')).toHaveLength(100);
    });
  });

  test('S1 S23 two clients that each use the full limits meet 429, and still submit each job once', () => {
    const limits = { run: { requests: 10, per: 10_000, concurrent: 5 } };
    const { endpoint, emulator, scheduler, see, until } = world({ limits, latency: 50, retryAfter: true }, { limits });
    const rival = createRunpod({
      transport: emulator.transport,
      scheduler,
      apiKey: 'key',
      limits,
      random: seededRandom(1),
    });
    const seen = [endpoint, rival.endpoint('demo')].flatMap((each) =>
      Array.from({ length: 10 }, () => see(each.run({ input }))),
    );
    until(600_000);
    expect(emulator.requests().some(({ status }) => status === 429)).toBe(true);
    expect(seen.every(({ values }) => values.length === 1)).toBe(true);
    expect(emulator.jobs()).toHaveLength(20);
  });
});
