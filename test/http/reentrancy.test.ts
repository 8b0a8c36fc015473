import fc from 'fast-check';
import { EMPTY, Subscription, concatMap, defer, expand, map, of, retry, switchMap, timer } from 'rxjs';
import type { Observable } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { createRunpod, isRunpodError } from 'runpod-rx';
import type { JobSnapshot, Link, Reply, SettleReport, TransportRequest } from 'runpod-rx';
import { clock, script, statuses, type Answer } from '../support/world.js';

const input = { x: 1 };
const queued = { body: { id: 'job-1', status: 'IN_QUEUE' } };
const running = { body: { id: 'job-1', status: 'IN_PROGRESS' }, after: 10 };
const completed = { body: { id: 'job-1', status: 'COMPLETED', output: 1 }, after: 10 };

describe('S7 a call from within the emission of an answer', () => {
  const completesOnThirdRead = () => script((_, nth) => (nth < 3 ? running : completed));

  test('to status() sends a request of its own', () => {
    const { endpoint, sent, see, until } = completesOnThirdRead();
    const seen = see(endpoint.status('job-1').pipe(switchMap(() => endpoint.status('job-1'))));
    until(1_000);
    expect(seen).toMatchObject({ values: [{ status: 'IN_PROGRESS' }], ended: 20 });
    expect(sent).toHaveLength(2);
  });

  test('to watch() polls until the job ends', () => {
    const { endpoint, see, until } = completesOnThirdRead();
    const seen = see(endpoint.status('job-1').pipe(concatMap(() => endpoint.watch('job-1', { every: 100 }))));
    until(1_000);
    expect(statuses(seen)).toEqual(['IN_PROGRESS', 'COMPLETED']);
    expect(seen).toMatchObject({ ended: 130 });
    expect(seen.error).toBeUndefined();
  });

  test('to status(), again and again, reaches the terminal status', () => {
    const { endpoint, see, until } = completesOnThirdRead();
    const all$ = endpoint
      .status('job-1')
      .pipe(expand(({ status }) => (status === 'COMPLETED' ? EMPTY : endpoint.status('job-1'))));
    const seen = see(all$);
    until(1_000);
    expect(statuses(seen)).toEqual(['IN_PROGRESS', 'IN_PROGRESS', 'COMPLETED']);
  });

  test('to status(), within a watch, gets a new answer and does not disturb the watch', () => {
    const { endpoint, see, until } = completesOnThirdRead();
    const seen = see(
      endpoint
        .watch('job-1', { every: 100 })
        .pipe(concatMap(({ status }) => endpoint.status('job-1').pipe(map((now) => `${status} ${now.status}`)))),
    );
    until(10_000);
    expect(seen.values).toEqual(['IN_PROGRESS IN_PROGRESS', 'COMPLETED COMPLETED']);
  });
});

describe('S10 after a failed shared read', () => {
  test('a read that starts at once is shared with later callers', () => {
    const { endpoint, sent, see, until } = script(
      (_, nth) => (nth === 1 ? { status: 400, after: 10 } : { ...running, after: 1_000 }),
      { retry: false },
    );
    const again = see(endpoint.status('job-1').pipe(retry(1)));
    const gone = see(endpoint.status('job-1'));
    until(15);
    const late = see(endpoint.status('job-1'));
    until(5_000);
    expect(sent.map(({ at }) => at)).toEqual([0, 10]);
    expect(gone.error).toMatchObject({ status: 400 });
    for (const seen of [again, late]) expect(seen.at).toEqual([1_010]);
  });

  test('watchers that resubscribe at once and a later watcher share one read at a time', () => {
    const { endpoint, sent, see, until } = script(
      (_, nth) => (nth === 1 ? { status: 400, after: 10 } : { ...running, after: 300 }),
      { retry: false },
    );
    const seen = [1, 2, 3].map(() => see(endpoint.watch('job-1', { every: 1_000 }).pipe(retry(1))));
    until(20);
    see(endpoint.watch('job-1', { every: 1_000 }));
    until(10_000);
    expect(sent.map(({ at }) => at)).toEqual([0, 10, ...[1, 2, 3, 4, 5, 6, 7].map((n) => 10 + 1_300 * n)]);
    for (const { values, error } of seen) expect([values.length, error]).toEqual([1, undefined]);
  });
});

describe('S6 a call from within the report of settled()', () => {
  test('to settled() gets a report as well', () => {
    const { client, see } = script(() => queued);
    const seen = see(client.settled().pipe(concatMap(() => client.settled())));
    expect(seen.values).toHaveLength(1);
  });

  test('to close() closes the client', () => {
    let closed = 0;
    const transport = Object.assign(() => of<Reply>({ status: 200, headers: {}, text: '' }), {
      close: () => of(closed++),
    });
    const client = createRunpod({ transport, apiKey: 'key' });
    const seen = clock().see(client.settled().pipe(concatMap(() => client.close())));
    expect(seen.values).toEqual([{ cancelled: [], finished: [], abandoned: [], lost: [] }]);
    expect(closed).toBe(1);
  });
});

test.each<[string, Answer]>([
  ['answers', queued],
  ['failures', { phase: 'connect' }],
])('S23 thousands of waiting requests are all sent when %s come synchronously', (_, answer) => {
  const { endpoint, sent, see, until } = script((__, nth) => (nth === 1 ? { ...queued, after: 10 } : answer), {
    limits: { run: { concurrent: 1 } },
    retry: false,
  });
  const seen = Array.from({ length: 5_000 }, () => see(endpoint.run({ input })));
  expect(sent).toHaveLength(1);
  until(100);
  expect(sent).toHaveLength(5_000);
  expect(seen.filter(({ ended }) => ended === undefined)).toEqual([]);
});

describe('S5 a submission that is aborted while a synchronous transport sends it', () => {
  /** Aborts a call from within `place`; gives what its subscriber saw, the report of `settled()` and the requests. */
  const play = (
    place: 'activity$' | 'a link' | 'the transport',
    operation: 'run' | 'runSync' | 'retry',
    answer: Answer = queued,
  ) => {
    const controller = new AbortController();
    const link: Link = (request, next) => {
      if (place === 'a link' && request.operation !== 'cancel')
        return next(request).pipe(
          map((reply) => {
            controller.abort();
            return reply;
          }),
        );
      return next(request);
    };
    const made = script(
      (request) => {
        if (request.operation === 'cancel') return { body: { id: 'job-1', status: 'CANCELLED' } };
        if (place === 'the transport') controller.abort();
        return answer;
      },
      { links: [link] },
    );
    const { client, endpoint, see, sent, until } = made;
    if (place === 'activity$')
      client.activity$.subscribe(({ type }) => {
        if (type === 'request') controller.abort();
      });
    const { signal } = controller;
    const call$: Observable<JobSnapshot> =
      operation === 'retry' ? endpoint.retry('job-1', { signal }) : endpoint[operation]({ input }, { signal });
    const seen = see(call$);
    until(1_000);
    const settled = see<SettleReport>(client.settled());
    return { seen, settled, sent: sent.map((request) => request.operation) };
  };

  test.each(
    (['run', 'runSync', 'retry'] as const).flatMap((operation) =>
      (['activity$', 'a link', 'the transport'] as const).map((place) => ({ operation, place })),
    ),
  )('$operation, aborted from within $place, has its job cancelled', ({ operation, place }) => {
    const { seen, settled, sent } = play(place, operation);
    expect(seen.values).toEqual([]);
    expect(seen.error).toMatchObject({ name: 'AbortError' });
    expect(sent).toEqual([operation.toLowerCase(), 'cancel']);
    expect(settled.values).toMatchObject([{ cancelled: [{ id: 'job-1' }] }]);
  });

  test.each(['activity$', 'the transport'] as const)(
    'retry, aborted from within %s, has its job cancelled even if its answer is lost, because its id is known',
    (place) => {
      const { settled, sent } = play(place, 'retry', { phase: 'sent' });
      expect(sent).toEqual(['retry', 'cancel']);
      expect(settled.values).toMatchObject([{ cancelled: [{ id: 'job-1' }] }]);
    },
  );
});

/** One call, how it is abandoned, and how the server answers. */
const scene = fc.record({
  operation: fc.constantFrom('run', 'runSync', 'retry'),
  how: fc.constantFrom('unsubscribe', 'signal', 'close', 'timeout'),
  /** At the n-th event of `activity$`, or at a time. */
  when: fc.oneof(fc.record({ event: fc.nat(11) }), fc.record({ ms: fc.nat(3_000) })),
  /** How long each answer takes; 0 answers synchronously. */
  latency: fc.constantFrom(0, 0, 150, 400),
  /** What the server does with each request in turn; it answers all later requests. */
  fates: fc.array(fc.constantFrom('answer', '429', '429 with a pause', '503', 'lost', 'unreachable'), { maxLength: 6 }),
  limited: fc.boolean(),
});

test(
  'S1 S5 S6 a submission abandoned at any point is delivered, cancelled, or never accepted',
  { timeout: 60_000 },
  () => {
    const met = { delivered: 0, cancelled: 0, never: 0, atOnce: 0 };
    fc.assert(
      fc.property(scene, ({ operation, how, when, latency, fates, limited }) => {
        const { scheduler, until } = clock();
        const jobs = new Map<string, { known: boolean; cancelled: boolean }>();
        const turns = [...fates];
        const answer = (request: TransportRequest): Reply => {
          const fate = turns.shift() ?? 'answer';
          const reply = (status: number, body: unknown, headers = {}) => ({
            status,
            headers,
            text: JSON.stringify(body),
          });
          const lose = (phase: string) => {
            throw Object.assign(new Error(fate), { phase });
          };
          if (fate === 'unreachable') return lose('connect');
          if (fate === '429') return reply(429, {});
          if (fate === '429 with a pause') return reply(429, {}, { 'retry-after': '1' });
          if (request.operation === 'cancel') {
            if (fate === '503') return reply(503, {});
            const [id = ''] = /[^/]+$/.exec(request.url) ?? [];
            const job = jobs.get(id);
            if (job) job.cancelled = true;
            return fate === 'lost' ? lose('sent') : reply(200, { id, status: 'CANCELLED' });
          }
          if (request.operation === 'status') return reply(200, { id: 'job-1', status: 'IN_PROGRESS' });
          if (fate === '503') return reply(503, {});
          const id = request.operation === 'retry' ? 'job-1' : `job-${jobs.size + 1}`;
          jobs.set(id, { known: fate !== 'lost' || request.operation === 'retry', cancelled: false });
          return fate === 'lost' ? lose('sent') : reply(200, { id, status: 'IN_QUEUE' });
        };
        const client = createRunpod({
          transport: (request) =>
            latency ? timer(latency, scheduler).pipe(map(() => answer(request))) : defer(() => of(answer(request))),
          scheduler,
          random: () => 0.5,
          apiKey: 'key',
          limits: limited ? { run: { requests: 1, per: 3_000 }, cancel: { requests: 1, per: 2_000 } } : 'documented',
        });
        const endpoint = client.endpoint('demo');
        const controller = new AbortController();
        const subscription = new Subscription();
        let abandoned = false;
        let sentLate = 0;
        const abandon = () => {
          abandoned = true;
          if (how === 'unsubscribe') subscription.unsubscribe();
          if (how === 'signal') controller.abort();
          if (how === 'close') client.close().subscribe();
        };
        let events = 0;
        client.activity$.subscribe(({ type, operation: of }) => {
          if (abandoned && how !== 'timeout' && type === 'request' && of !== 'cancel' && of !== 'status') sentLate++;
          if ('event' in when && events++ === when.event) abandon();
        });
        if ('ms' in when) scheduler.schedule(abandon, when.ms);
        const options = {
          ...(how === 'signal' && { signal: controller.signal }),
          ...(how === 'timeout' && { timeout: 'ms' in when ? when.ms : 100 * when.event }),
        };
        const call$: Observable<JobSnapshot> =
          operation === 'retry'
            ? endpoint.retry('job-1', options)
            : operation === 'run'
              ? endpoint.run({ input }, options)
              : endpoint.runSync({ input }, { ...options, wait: 1_000, every: 700, outage: 1e6 });
        let delivered = false;
        let failed: unknown;
        subscription.add(
          call$.subscribe({
            next: () => (delivered = true),
            error: (error: unknown) => (failed = error),
          }),
        );
        until(1_000_000);
        let report: SettleReport | undefined;
        client.close().subscribe((settled) => (report = settled));
        until(2_000_000);

        expect(report).toBeDefined();
        expect(scheduler.actions).toEqual([]);
        expect(sentLate).toBe(0);
        expect(jobs.size).toBeLessThanOrEqual(1);
        if (!latency) met.atOnce++;
        if (!jobs.size) met.never++;
        for (const { known, cancelled } of jobs.values()) {
          if (cancelled) met.cancelled++;
          if (delivered) {
            met.delivered++;
            expect(cancelled).toBe(false);
          } else if (known && !isLost(failed)) expect(cancelled).toBe(true);
        }
      }),
      { numRuns: 600, seed: 7 },
    );
    for (const count of Object.values(met)) expect(count).toBeGreaterThan(20);
  },
);

/** Whether an error means that the answer was lost, and not that the call was abandoned. */
function isLost(error: unknown): boolean {
  return isRunpodError(error, 'submission_unknown') && !isRunpodError(error.cause, 'request_timeout');
}
