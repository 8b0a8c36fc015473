import { Subject } from 'rxjs';
import { describe, expect, test } from 'vitest';
import type { RequestRecord } from 'runpod-rx/testing';
import { script, statuses, world, type Answer, type Given, type World } from '../support/world.js';

const running = (progress: unknown): Given => ({ body: { id: 'job-1', status: 'IN_PROGRESS', output: progress } });
const completed: Given = { body: { id: 'job-1', status: 'COMPLETED', output: 1 } };

/** A job that runs for a minute, submitted at 0. */
function job(made: World, ms = 60_000): string {
  const run = made.see(made.endpoint.run({ input: { ms } }));
  made.until(made.scheduler.now() + 1_000);
  return run.values[0]!.id;
}

/** The most requests of a job that were on their way at once. */
function mostAtOnce(requests: readonly RequestRecord[], operation = 'status'): number {
  const mine = requests.filter((request) => request.operation === operation);
  return Math.max(...mine.map(({ at }) => mine.filter((o) => o.at <= at && (o.endedAt ?? Infinity) > at).length));
}

describe('S7 watchers of one job', () => {
  test('at one pace cost the reads of one watcher, and both get every answer', () => {
    const { endpoint, sent, see, until } = script((_, nth) => (nth < 5 ? { ...running(nth), after: 100 } : completed));
    const one = see(endpoint.watch('job-1', { every: 1_000 }));
    const two = see(endpoint.watch('job-1', { every: 1_000 }));
    until(60_000);
    expect(sent.map(({ at }) => at)).toEqual([0, 1_100, 2_200, 3_300, 4_400]);
    expect(one.at).toEqual([100, 1_200, 2_300, 3_400, 4_400]);
    expect(two.at).toEqual(one.at);
    expect(two.values).toEqual(one.values);
    expect(two.ended).toBe(4_400);
  });

  test('of two views of an endpoint share reads; another endpoint and another job have their own', () => {
    const made = world({ endpoints: { other: { handler: () => 1 } }, latency: 100 });
    const id = job(made);
    const { client, emulator, endpoint, see, until } = made;
    see(endpoint.watch(id, { every: 1_000 }));
    see(client.endpoint('demo').watch(id, { every: 1_000 }));
    until(1_050);
    expect(emulator.requests().filter(({ operation }) => operation === 'status')).toHaveLength(1);
    see(client.endpoint('other').watch(id, { every: 1_000 }));
    see(endpoint.watch('job-2', { every: 1_000 }));
    until(1_050);
    expect(
      emulator
        .requests()
        .map(({ path }) => path)
        .slice(2),
    ).toEqual(['/v2/other/status/' + id, '/v2/demo/status/job-2']);
  });

  test('get the answer of the watcher that reads first', () => {
    const { endpoint, sent, see, until } = script((_, nth) => running(nth));
    const slow = see(endpoint.watch('job-1', { every: 3_000 }));
    const fast = see(endpoint.watch('job-1', { every: 1_000 }));
    until(5_500);
    expect(sent.map(({ at }) => at)).toEqual([0, 0, 1_000, 2_000, 3_000, 4_000, 5_000]);
    expect(fast.at).toEqual([0, 1_000, 2_000, 3_000, 4_000, 5_000]);
    expect(slow.at.slice(-5)).toEqual([1_000, 2_000, 3_000, 4_000, 5_000]);
  });

  test('take `every` for a greatest age: after the faster one unsubscribes, the slower one reads that long after the last answer', () => {
    const { endpoint, sent, see, at, until } = script((_, nth) => ({ ...running(nth), after: 10 }));
    const slow = see(endpoint.watch('job-1', { every: 3_000 }));
    const fast = see(endpoint.watch('job-1', { every: 1_000 }));
    at(1_500, () => {
      fast.subscription.unsubscribe();
    });
    until(8_000);
    expect(sent.map((request) => request.at)).toEqual([0, 1_010, 4_020, 7_030]);
    expect(slow.at).toEqual([10, 1_020, 4_030, 7_040]);
  });

  test('emit an answer only if it differs from the last they emitted', () => {
    const answers: Answer[] = [
      running(1),
      { body: '{"output":1,"status":"IN_PROGRESS","id":"job-1"}' },
      running(2),
      running(2),
      running(1),
      completed,
    ];
    const { endpoint, sent, see, until } = script((_, nth) => answers[nth - 1]!);
    const seen = see(endpoint.watch('job-1', { every: 1_000 }));
    until(60_000);
    expect(sent).toHaveLength(6);
    expect(seen.values).toMatchObject([{ progress: 1 }, { progress: 2 }, { progress: 1 }, { output: 1 }]);
    expect(seen.at).toEqual([0, 2_000, 4_000, 5_000]);
  });

  test('share a read in flight when they subscribe; later ones read anew', () => {
    const { endpoint, sent, see, until } = script((_, nth) => ({ ...running(nth), after: 500 }));
    const one = see(endpoint.watch('job-1', { every: 10_000 }));
    until(400);
    const two = see(endpoint.watch('job-1', { every: 10_000 }));
    until(600);
    expect(sent).toHaveLength(1);
    const three = see(endpoint.watch('job-1', { every: 10_000 }));
    until(1_200);
    expect(sent.map(({ at }) => at)).toEqual([0, 600]);
    for (const { at } of [one, two]) expect(at).toEqual([500, 1_100]);
    expect(three.at).toEqual([1_100]);
  });

  test('share reads with `status`, whose answer postpones their next read', () => {
    const { endpoint, sent, see, until } = script((_, nth) => ({ ...running(nth), after: 500 }));
    const watch = see(endpoint.watch('job-1', { every: 2_000 }));
    until(100);
    const joined = see(endpoint.status('job-1'));
    until(600);
    expect(sent).toHaveLength(1);
    expect(joined).toMatchObject({ ended: 500, values: [{ progress: 1 }] });
    until(1_000);
    const own = see(endpoint.status('job-1'));
    until(10_000);
    expect(own).toMatchObject({ ended: 1_500, values: [{ progress: 2 }] });
    // The poll that was due at 2 500 is postponed.
    expect(sent.slice(0, 3).map(({ at }) => at)).toEqual([0, 1_000, 3_500]);
    expect(watch.at.slice(0, 3)).toEqual([500, 1_500, 4_000]);
  });

  test('do not share reads with a `status` that has headers of its own', () => {
    const { endpoint, sent, see } = script((_, nth) => ({ ...running(nth), after: 500 }));
    see(endpoint.watch('job-1'));
    see(endpoint.status('job-1', { headers: { 'x-trace': '1' } }));
    expect(sent.map(({ headers }) => headers['x-trace'])).toEqual([undefined, '1']);
  });

  test('unsubscribe without disturbing the others; the read is aborted with the last one', () => {
    const { endpoint, sent, see, until } = script(() => ({ ...running(1), after: 1_000 }));
    const one = see(endpoint.watch('job-1'));
    const two = see(endpoint.watch('job-1'));
    const three = see(endpoint.status('job-1'));
    until(300);
    one.subscription.unsubscribe();
    until(400);
    two.subscription.unsubscribe();
    until(500);
    expect(sent[0]).not.toHaveProperty('aborted');
    three.subscription.unsubscribe();
    until(60_000);
    expect(sent).toMatchObject([{ at: 0, aborted: 500 }]);
  });

  test('get the answer even if the watcher that made the request unsubscribes', () => {
    const { endpoint, sent, see, until } = script(() => ({ ...completed, after: 1_000 }));
    const one = see(endpoint.watch('job-1'));
    const two = see(endpoint.watch('job-1'));
    until(500);
    one.subscription.unsubscribe();
    until(60_000);
    expect(two).toMatchObject({ ended: 1_000, values: [{ status: 'COMPLETED' }] });
    expect(sent).toHaveLength(1);
  });

  test('have their own timeout', () => {
    const { endpoint, sent, see, until } = script((_, nth) => ({ ...running(nth), after: 1_000 }));
    const one = see(endpoint.watch('job-1', { timeout: 500 }));
    const two = see(endpoint.watch('job-1', { every: 1_000 }));
    until(4_500);
    expect(one).toMatchObject({
      ended: 500,
      values: [],
      error: { code: 'request_timeout', timeout: 500, jobId: 'job-1' },
    });
    expect(two.at).toEqual([1_000, 3_000]);
    expect(sent.filter(({ aborted }) => aborted !== undefined)).toEqual([]);
  });

  test('have their own signal', () => {
    const { endpoint, see, at, until } = script((_, nth) => ({ ...running(nth), after: 1_000 }));
    const controller = new AbortController();
    const one = see(endpoint.watch('job-1', { signal: controller.signal }));
    const two = see(endpoint.watch('job-1', { every: 1_000 }));
    at(1_500, () => {
      controller.abort('enough');
    });
    until(4_500);
    expect(one).toMatchObject({ ended: 1_500, error: { name: 'AbortError', cause: 'enough', jobId: 'job-1' } });
    expect(two.at).toEqual([1_000, 3_000]);
  });

  test('have their own outage', () => {
    const { endpoint, see, until, sent } = script((_, nth) => (nth <= 1 ? running(1) : { status: 503 }));
    const brief = see(endpoint.watch('job-1', { every: 1_000, outage: 20_000 }));
    const long = see(endpoint.watch('job-1', { every: 1_000, outage: 100_000 }));
    until(400_000);
    expect(brief.error).toMatchObject({ code: 'http', status: 503, jobId: 'job-1' });
    // One read, with its repeats, may go beyond it.
    expect(brief.ended).toBeLessThan(25_000);
    expect(brief.ended).toBeGreaterThan(15_000);
    expect(long.ended).toBeLessThan(105_000);
    expect(long.ended).toBeGreaterThan(90_000);
    expect(sent.at(-1)!.at).toBeLessThan(105_000);
  });

  test('S2 ride out an outage of just under five minutes by default, and no longer one', () => {
    for (const [end, survives] of [
      [280_000, true],
      [400_000, false],
    ] as const) {
      const made = script((_, nth) =>
        nth > 1 && made.scheduler.now() < end ? { phase: 'connect' } : nth === 1 ? running(1) : completed,
      );
      const seen = made.see(made.endpoint.watch('job-1'));
      made.until(1_000_000);
      expect(seen.error === undefined).toBe(survives);
      if (!survives) expect(seen.error).toMatchObject({ code: 'connection', jobId: 'job-1' });
      if (!survives) expect(seen.ended).toBeGreaterThan(285_000);
    }
  });

  test('get an error at once that will not pass', () => {
    const { endpoint, sent, see, until } = script(() => ({ status: 403 }));
    const seen = see(endpoint.watch('job-1'));
    until(0);
    expect(seen.error).toMatchObject({ code: 'authentication' });
    expect(sent).toHaveLength(1);
  });

  test('are read on after a failed refresh', () => {
    let broken = false;
    const { endpoint, see, at, until } = script(({ operation }, nth) =>
      operation === 'cancel'
        ? { body: { id: 'job-1', status: 'IN_PROGRESS' } }
        : broken
          ? { status: 403 }
          : running(nth),
    );
    const slow = see(endpoint.watch('job-1', { every: 100_000 }));
    at(500, () => {
      broken = true;
      see(endpoint.cancel('job-1'));
      broken = false;
    });
    at(600, () => {
      see(endpoint.status('job-1'));
    });
    until(1_000);
    expect(slow.error).toBeUndefined();
    expect(slow.at).toEqual([0, 600]);
  });
});

describe('S10 a job has one status request in flight at the most', () => {
  test('an answer slower than the interval still counts', () => {
    const { endpoint, sent, see, until } = script((_, nth) => ({ ...running(nth), after: 2_500 }));
    const seen = see(endpoint.watch('job-1', { every: 1_000 }));
    until(9_600);
    expect(sent.map(({ at }) => at)).toEqual([0, 3_500, 7_000]);
    expect(seen.at).toEqual([2_500, 6_000, 9_500]);
  });

  test('while jobs are watched, read, cancelled and retried', () => {
    const made = world({
      latency: ({ method }) => (method === 'GET' ? 700 : 100),
      endpoints: { demo: { handler: (_, { attempt, delay }) => (attempt < 3 ? { error: 'no' } : delay(30_000)) } },
    });
    const id = job(made, 0);
    const { emulator, endpoint, see, at, until } = made;
    for (const every of [500, 900, 1_300]) see(endpoint.watch(id, { every }));
    for (let n = 0; n < 40; n++) {
      at(1_000 + n * 170, () => {
        see(endpoint.status(id));
        if (n % 10 === 3) see(endpoint.retry(id));
        if (n % 10 === 7) see(endpoint.cancel(id));
      });
    }
    until(60_000);
    expect(mostAtOnce(emulator.requests())).toBe(1);
  });

  test('cancel refreshes the watchers, which get the end at once', () => {
    const made = world({ latency: 100 });
    const id = job(made);
    const { endpoint, see, until, wire } = made;
    const one = see(endpoint.watch(id, { every: 30_000 }));
    const two = see(endpoint.watch(id, { every: 20_000 }));
    until(5_000);
    see(endpoint.cancel(id));
    until(60_000);
    for (const seen of [one, two]) {
      expect(statuses(seen)).toEqual(['IN_PROGRESS', 'CANCELLED']);
      expect(seen.ended).toBe(5_200);
    }
    expect(wire()).toEqual(['0-100 run 200', '1000-1100 status 200', '5000-5100 cancel 200', '5100-5200 status 200']);
  });

  test('a read in flight when the cancel is answered is aborted, and made anew', () => {
    const made = world({ latency: ({ method }) => (method === 'GET' ? 3_000 : 100) });
    const id = job(made);
    const { endpoint, see, until, wire, emulator } = made;
    const seen = see(endpoint.watch(id, { every: 30_000 }));
    until(3_000);
    see(endpoint.cancel(id));
    until(60_000);
    expect(statuses(seen)).toEqual(['CANCELLED']);
    expect(wire('status')).toEqual(['1000-3100 status aborted', '3100-6100 status 200']);
    expect(mostAtOnce(emulator.requests())).toBe(1);
  });

  test('S18 retry refreshes the watchers: a FAILED from before it is not the end', () => {
    const made = world({
      latency: ({ method }) => (method === 'GET' ? 3_000 : 100),
      endpoints: { demo: { handler: (_, { attempt, delay }) => (attempt === 1 ? { error: 'no' } : delay(10_000)) } },
    });
    const id = job(made, 0);
    const { endpoint, see, until, wire } = made;
    const seen = see(endpoint.watch(id, { every: 1_000 }));
    until(3_000);
    see(endpoint.retry(id));
    until(60_000);
    expect(statuses(seen)).toEqual(['IN_PROGRESS', 'COMPLETED']);
    expect(wire('status', 'retry').slice(0, 3)).toEqual([
      '1000-3100 status aborted',
      '3000-3100 retry 200',
      '3100-6100 status 200',
    ]);
  });

  test('also where the cancel of an abandoned job is refused, and its status is read', () => {
    const { endpoint, sent, see, until } = script(({ operation }) => {
      if (operation === 'run') return { body: { id: 'job-1', status: 'IN_QUEUE' }, after: 100 };
      if (operation === 'cancel') return { status: 400, body: { error: 'it is over' } };
      return { ...completed, after: 1_000 };
    });
    see(endpoint.run({ input: { x: 1 } })).subscription.unsubscribe();
    see(endpoint.watch('job-1'));
    until(60_000);
    const reads = sent.filter(({ operation }) => operation === 'status');
    for (const [nth, { at, aborted = at + 1_000 }] of reads.entries())
      expect(reads[nth + 1]?.at ?? Infinity).toBeGreaterThanOrEqual(aborted);
  });

  test('S7 the watchers of an abandoned job are refreshed once it is cancelled', () => {
    const made = world({ latency: 100 });
    const { endpoint, emulator, see, until } = made;
    const sync = see(endpoint.runSync({ input: { ms: 60_000 } }, { wait: 1_000 }));
    until(2_000);
    const seen = see(endpoint.watch(emulator.jobs()[0]!.id, { every: 30_000 }));
    until(3_000);
    sync.subscription.unsubscribe();
    until(4_000);
    expect(statuses(seen).at(-1)).toBe('CANCELLED');
    expect(seen.ended).toBe(3_200);
  });
});

describe('notices', () => {
  const notices = () => {
    const notices$ = new Subject<unknown>();
    const made = script((_, nth) => running(nth), { notices: notices$ });
    return { ...made, notices$ };
  };

  const timesOf = (sent: readonly { readonly at: number }[]) => sent.map(({ at }) => at);

  test('S26 hurry the next read, whose answer counts, and nothing of the notice', () => {
    const { endpoint, sent, see, at, until, notices$ } = notices();
    const seen = see(endpoint.watch('job-1', { every: 10_000 }));
    at(600, () => {
      notices$.next({ id: 'job-1', status: 'IN_PROGRESS', output: 'heard' });
    });
    until(11_000);
    expect(timesOf(sent)).toEqual([0, 600, 10_600]);
    expect(seen.values).toMatchObject([{ progress: 1 }, { progress: 2 }, { progress: 3 }]);
  });

  test.each(['COMPLETED', 'FAILED', 'CANCELLED'])('S26 that say %s end nothing by themselves', (status) => {
    const { endpoint, sent, see, at, until, notices$ } = notices();
    const seen = see(endpoint.watch('job-1', { every: 10_000 }));
    at(600, () => {
      notices$.next({ id: 'job-1', status, output: 'forged' });
    });
    until(10_700);
    expect(timesOf(sent)).toEqual([0, 600, 10_600]);
    expect(seen.ended).toBeUndefined();
    expect(statuses(seen)).toEqual(['IN_PROGRESS', 'IN_PROGRESS', 'IN_PROGRESS']);
  });

  test('about other jobs, and values without an id, are ignored', () => {
    const { endpoint, sent, see, until, notices$ } = notices();
    const seen = see(endpoint.watch('job-1', { every: 10_000 }));
    until(1_000);
    for (const notice of [{ id: 'job-2', status: 'COMPLETED' }, null, 'text', [], { id: 1 }, { status: 'FAILED' }])
      notices$.next(notice);
    until(5_000);
    expect(seen.values).toHaveLength(1);
    expect(sent).toHaveLength(1);
  });

  test.each([10, 200, 499, 500, 1_200])(
    'S26 every %i ms keep no job from being read, and cause no read sooner than 500 ms after an answer',
    (period) => {
      const { endpoint, sent, see, at, until, notices$ } = notices();
      see(endpoint.watch('job-1', { every: 5_000 }));
      for (let time = period; time < 20_000; time += period)
        at(time, () => {
          notices$.next({ id: 'job-1', status: 'IN_PROGRESS' });
        });
      until(20_000);
      const gaps = timesOf(sent)
        .slice(1)
        .map((time, nth) => time - sent[nth]!.at);
      expect(gaps.length).toBeGreaterThanOrEqual(Math.floor(20_000 / (500 + period)) - 1);
      expect(Math.min(...gaps)).toBeGreaterThanOrEqual(500);
      expect(Math.max(...gaps)).toBeLessThanOrEqual(Math.max(500 + period, period));
    },
  );

  test('S26 S10 during a read leave it alone, and have the job read again soon after its answer', () => {
    const notices$ = new Subject<unknown>();
    const { endpoint, sent, see, at, until } = script(() => ({ ...running(1), after: 1_000 }), { notices: notices$ });
    see(endpoint.watch('job-1', { every: 10_000 }));
    at(500, () => {
      notices$.next({ id: 'job-1', status: 'COMPLETED' });
    });
    until(8_000);
    expect(sent.map((request) => [request.at, request.aborted])).toEqual([
      [0, undefined],
      [1_500, undefined],
    ]);
  });

  test('S26 S2 do not shorten the pause after a read that failed', () => {
    const notices$ = new Subject<unknown>();
    const { endpoint, sent, see, at, until } = script((_, nth) => (nth === 2 ? { status: 503 } : running(nth)), {
      notices: notices$,
      retry: false,
    });
    see(endpoint.watch('job-1', { every: 4_000 }));
    at(5_000, () => {
      notices$.next({ id: 'job-1', status: 'COMPLETED' });
    });
    until(8_500);
    expect(timesOf(sent)).toEqual([0, 4_000, 8_000]);
  });

  test('S26 have a plain read take the place of one that the service holds', () => {
    const notices$ = new Subject<unknown>();
    const { endpoint, sent, see, at, until } = script(
      ({ operation }) => ({ ...running(1), after: operation === 'status-sync' ? 60_000 : 0 }),
      { notices: notices$ },
    );
    see(endpoint.watch('job-1', { longPoll: 60_000 }));
    at(10_000, () => {
      notices$.next({ id: 'job-1', status: 'COMPLETED' });
    });
    at(10_100, () => {
      notices$.next({ id: 'job-1', status: 'COMPLETED' });
    });
    until(10_700);
    expect(sent.map(({ at: time, operation, aborted }) => [time, operation, aborted])).toEqual([
      [0, 'status', undefined],
      [0, 'status-sync', 10_000],
      [10_000, 'status', undefined],
      [10_000, 'status-sync', 10_100],
      [10_500, 'status', undefined],
      [10_500, 'status-sync', undefined],
    ]);
  });

  test.each(['error', 'complete'] as const)('that %s do not stop the polling', (how) => {
    const { endpoint, sent, see, at, until, notices$ } = notices();
    const seen = see(endpoint.watch('job-1', { every: 1_000 }));
    at(500, () => {
      notices$[how]('broken');
    });
    until(3_500);
    expect(sent.map((request) => request.at)).toEqual([0, 1_000, 2_000, 3_000]);
    expect(seen.error).toBeUndefined();
  });
});

test('S7 a watcher that unsubscribes when its read is aborted disturbs nothing', () => {
  const made = script(({ operation }) =>
    operation === 'cancel' ? { body: { id: 'job-1', status: 'CANCELLED' } } : { after: 60_000 },
  );
  const watching = made.endpoint.watch('job-1').subscribe();
  made.client.activity$.subscribe(({ type }) => {
    if (type === 'abort') watching.unsubscribe();
  });
  const cancel = made.see(made.endpoint.cancel('job-1'));
  made.until(1_000);
  expect(cancel.values).toMatchObject([{ status: 'CANCELLED' }]);
  expect(cancel.error).toBeUndefined();
});
