import { Subject, delay, map, switchMap, timer } from 'rxjs';
import type { Observable } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { createRunpod } from 'runpod-rx';
import type { Endpoint, JobRef, Link, Runpod, Transport, TransportRequest } from 'runpod-rx';
import { script, world, type Answer, type Seen, type World } from '../support/world.js';

const input = { ms: 20_000 };
const queued = { body: { id: 'job-1', status: 'IN_QUEUE' } };
const cancelled = { body: { id: 'job-1', status: 'CANCELLED' } };

/** The ways to abandon a call, each at a given time. */
const ways = {
  'by unsubscribing': (world, ms, call) => {
    const seen = world.see(call({}));
    world.at(ms, () => {
      seen.subscription.unsubscribe();
    });
    return seen;
  },
  'by its timeout': (world, ms, call) => world.see(call({ timeout: ms })),
  'by its signal': (world, ms, call) => {
    const controller = new AbortController();
    world.at(ms, () => {
      controller.abort('enough');
    });
    return world.see(call({ signal: controller.signal }));
  },
} satisfies Record<
  string,
  (
    world: Pick<World, 'see' | 'at'>,
    ms: number,
    call: (options: { timeout?: number; signal?: AbortSignal }) => Observable<unknown>,
  ) => Seen<unknown>
>;
const everyWay = Object.entries(ways).map(([name, abandon]) => ({ name, abandon }));

const calls = {
  run: (endpoint: Endpoint, options: object) => endpoint.run({ input }, options),
  runsync: (endpoint: Endpoint, options: object) => endpoint.runSync({ input }, options),
  retry: (endpoint: Endpoint, options: object) => endpoint.retry('job-1', options),
};
const submissions = Object.keys(calls) as (keyof typeof calls)[];
const everyCall = submissions.flatMap((operation) => everyWay.map((way) => ({ operation, ...way })));

/** The job ids in the report of `settled()`; `undefined` while a submission or a cancel is pending. */
function settled(client: Runpod, see: World['see']) {
  const seen = see(client.settled());
  // Unsubscribe, so that this call does not take a later report.
  seen.subscription.unsubscribe();
  const [report] = seen.values;
  const ids = (refs: readonly JobRef[]) => refs.map(({ id }) => id);
  return (
    report && {
      cancelled: ids(report.cancelled),
      finished: ids(report.finished),
      abandoned: ids(report.abandoned),
      lost: report.lost.map(({ operation }) => operation),
    }
  );
}
const nothing = { cancelled: [], finished: [], abandoned: [], lost: [] };

describe.each(everyCall)('S5 $operation, abandoned $name', ({ operation, name, abandon }) => {
  const expectNotAccepted = (seen: Seen<unknown>) => {
    if (name === 'by its timeout') expect(seen.error).toMatchObject({ code: 'request_timeout', accepted: 'no' });
    if (name === 'by its signal')
      expect(seen.error).toMatchObject({ name: 'AbortError', cause: 'enough', accepted: 'no' });
  };

  test('while it waits for budget, is never sent', () => {
    const limits = { [operation]: { concurrent: 1 } };
    const { client, endpoint, sent, see, at, until } = script(() => ({ ...queued, after: 1_000 }), { limits });
    see(calls[operation](endpoint, {}));
    const seen = abandon({ see, at }, 500, (options) => calls[operation](endpoint, options));
    until(900);
    expectNotAccepted(seen);
    expect(settled(client, see)).toEqual(nothing);
    until(100_000);
    expect(sent.filter((request) => request.operation === operation)).toHaveLength(1);
    expect(sent.filter((request) => request.operation === 'cancel')).toEqual([]);
  });

  test.each<[string, Answer]>([
    ['a 429', { status: 429, headers: { 'retry-after': '5' } }],
    ['a failed connection attempt', { phase: 'connect' }],
  ])('while it pauses after %s, is not sent again', (_, answer) => {
    const { client, endpoint, sent, see, at, until } = script(() => answer);
    const seen = abandon({ see, at }, 100, (options) => calls[operation](endpoint, options));
    until(99);
    expect(sent).toHaveLength(1);
    until(1_000_000);
    expectNotAccepted(seen);
    expect(sent).toHaveLength(1);
    expect(settled(client, see)).toEqual(nothing);
  });

  test('while it waits for a slow apiKey, is never sent', () => {
    let subscribed = 0;
    const { scheduler, ...rest } = script(() => queued, {
      apiKey: () => {
        subscribed++;
        return timer(1_000, scheduler).pipe(map(() => 'key'));
      },
    });
    const { client, endpoint, sent, see, at, until } = rest;
    const seen = abandon({ see, at }, 500, (options) => calls[operation](endpoint, options));
    until(100_000);
    expect(subscribed).toBe(1);
    expectNotAccepted(seen);
    expect(sent).toEqual([]);
    expect(settled(client, see)).toEqual(nothing);
  });

  test('while a link of the user delays it, is never sent', () => {
    const slow: Link = (request, next) => timer(1_000, scheduler).pipe(switchMap(() => next(request)));
    const { scheduler, ...rest } = script(() => queued, { links: [slow] });
    const { client, endpoint, sent, see, at, until } = rest;
    const seen = abandon({ see, at }, 500, (options) => calls[operation](endpoint, options));
    until(100_000);
    expectNotAccepted(seen);
    expect(sent).toEqual([]);
    expect(settled(client, see)).toEqual(nothing);
  });

  test('in flight, is read to its end, then has its job cancelled', () => {
    const { client, endpoint, sent, see, at, until } = script(({ operation: asked }) =>
      asked === 'cancel' ? { ...cancelled, after: 50 } : { ...queued, after: 1_000 },
    );
    const seen = abandon({ see, at }, 500, (options) => calls[operation](endpoint, options));
    until(999);
    if (name === 'by its timeout') expect(seen).toMatchObject({ error: { code: 'submission_unknown' }, ended: 500 });
    if (name === 'by its signal')
      expect(seen).toMatchObject({ error: { name: 'AbortError', accepted: 'unknown' }, ended: 500 });
    expect(sent).toHaveLength(1);
    expect(sent[0]).not.toHaveProperty('aborted');
    expect(settled(client, see)).toBeUndefined();
    until(1_049);
    expect(sent).toMatchObject([{ operation }, { operation: 'cancel', at: 1_000 }]);
    expect(settled(client, see)).toBeUndefined();
    until(100_000);
    expect(seen.values).toEqual([]);
    expect(settled(client, see)).toEqual({ ...nothing, cancelled: ['job-1'] });
    expect(sent).toHaveLength(2);
  });

  test('in flight, with a link that delays the answer, has its job cancelled', () => {
    const slow: Link = (request, next) => next(request).pipe(delay(1_000, scheduler));
    const { scheduler, ...rest } = script(({ operation: asked }) => (asked === 'cancel' ? cancelled : queued), {
      links: [slow],
    });
    const { client, endpoint, sent, see, at, until } = rest;
    abandon({ see, at }, 500, (options) => calls[operation](endpoint, options));
    until(100_000);
    expect(sent).toMatchObject([{ operation }, { operation: 'cancel' }]);
    expect(settled(client, see)).toEqual({ ...nothing, cancelled: ['job-1'] });
  });

  test.each<[string, Answer]>([
    ['a 429', { status: 429, after: 1_000 }],
    ['a 503', { status: 503, after: 1_000 }],
  ])('S6 in flight, is not repeated when the answer is %s', (_, answer) => {
    const { client, endpoint, sent, see, at, until } = script(({ operation: asked }) =>
      asked === 'cancel' ? cancelled : answer,
    );
    abandon({ see, at }, 500, (options) => calls[operation](endpoint, options));
    until(1_000_000);
    expect(sent.filter((request) => request.operation === operation)).toHaveLength(1);
    // Only a retry knows the id of its job without an answer.
    if (operation !== 'retry') expect(sent).toHaveLength(1);
    expect(settled(client, see)).toBeDefined();
  });
});

describe('S5 an abandoned submission', () => {
  test('run: the emulator has one job, and it is cancelled', () => {
    const { client, endpoint, emulator, see, until, wire } = world({ latency: 100 });
    see(endpoint.run({ input })).subscription.unsubscribe();
    expect(settled(client, see)).toBeUndefined();
    until(100_000);
    expect(wire()).toEqual(['0-100 run 200', '100-200 cancel 200']);
    expect(emulator.jobs()).toMatchObject([{ status: 'CANCELLED', cancelRequests: 1 }]);
    expect(settled(client, see)).toEqual({ ...nothing, cancelled: [emulator.jobs()[0]!.id] });
  });

  test('runSync: is read until the held answer comes, and a job that has ended by then is not cancelled', () => {
    const { client, endpoint, emulator, see, until, wire } = world({ latency: 100 });
    const seen = see(endpoint.runSync({ input }));
    until(1_000);
    seen.subscription.unsubscribe();
    until(100_000);
    expect(wire()).toEqual(['0-20100 runsync 200']);
    expect(emulator.jobs()).toMatchObject([{ status: 'COMPLETED', cancelRequests: 0 }]);
    expect(settled(client, see)).toEqual(nothing);
  });

  test('runSync: is aborted after wait and 15 s', () => {
    const { client, endpoint, sent, see, until } = script(() => 'never');
    see(endpoint.runSync({ input }, { wait: 10_000 })).subscription.unsubscribe();
    until(24_999);
    expect(sent).toMatchObject([{ at: 0 }]);
    expect(sent[0]).not.toHaveProperty('aborted');
    until(25_000);
    expect(sent).toMatchObject([{ aborted: 25_000 }]);
    expect(settled(client, see)).toEqual({ ...nothing, lost: ['runsync'] });
  });

  test.each([400, 401, 404, 429])('retry: a refusal with %i cancels nothing', (status) => {
    const { client, endpoint, sent, see, until } = script(() => ({ status, body: { error: 'no' }, after: 1_000 }));
    see(endpoint.retry('job-1')).subscription.unsubscribe();
    until(100_000);
    expect(sent.map(({ operation }) => operation)).toEqual(['retry']);
    expect(settled(client, see)).toEqual(nothing);
  });

  test('retry: a lost answer cancels the job, because its id is known', () => {
    const { client, endpoint, sent, see, until } = script(({ operation }) =>
      operation === 'cancel' ? cancelled : { status: 502, after: 1_000 },
    );
    see(endpoint.retry('job-1')).subscription.unsubscribe();
    until(100_000);
    expect(sent.map(({ operation }) => operation)).toEqual(['retry', 'cancel']);
    expect(settled(client, see)).toEqual({ ...nothing, cancelled: ['job-1'], lost: ['retry'] });
  });

  test('settled() reports a job that ends before the cancel arrives as finished', () => {
    const { client, endpoint, emulator, see, until } = world({ latency: 2_000 });
    see(endpoint.run({ input: { ms: 500 } })).subscription.unsubscribe();
    until(100_000);
    expect(emulator.jobs()).toMatchObject([{ status: 'COMPLETED', cancelRequests: 1 }]);
    expect(settled(client, see)).toEqual({ ...nothing, finished: [emulator.jobs()[0]!.id] });
    // A report holds only the jobs since the previous report.
    expect(settled(client, see)).toEqual(nothing);
  });

  test('settled() reports job references that attach() takes', () => {
    const { client, endpoint, see, until } = world({ latency: 100 });
    see(endpoint.run({ input })).subscription.unsubscribe();
    until(10_000);
    expect(see(client.settled()).values).toMatchObject([
      { cancelled: [{ v: 1, endpointId: 'demo', submittedAt: 100 }] },
    ]);
  });

  test('unsubscribing from settled() does not stop the cancel', () => {
    const { client, endpoint, emulator, see, until } = world({ latency: 100 });
    see(endpoint.run({ input })).subscription.unsubscribe();
    see(client.settled()).subscription.unsubscribe();
    until(10_000);
    expect(emulator.jobs()).toMatchObject([{ status: 'CANCELLED' }]);
  });
});

describe('S5 an abandoned read or command', () => {
  test.each(['status', 'watch', 'stream', 'cancel', 'health', 'purgeQueue', 'watchHealth'] as const)(
    '%s: is aborted on the wire, and cancels nothing',
    (name) => {
      for (const { abandon } of everyWay) {
        const { client, endpoint, sent, see, at, until } = script(() => 'never');
        const call = (options: object): Observable<unknown> =>
          name === 'health' || name === 'purgeQueue' || name === 'watchHealth'
            ? endpoint[name](options)
            : endpoint[name]('job-1', options);
        abandon({ see, at }, 500, call);
        until(1_000_000);
        expect(sent).toMatchObject([{ at: 0, aborted: 500 }]);
        expect(settled(client, see)).toEqual(nothing);
      }
    },
  );
});

describe.each(everyWay)('S5 runSync, abandoned $name while it polls', ({ abandon }) => {
  test('has its job cancelled', () => {
    const { client, endpoint, emulator, see, at, until, wire } = world();
    abandon({ see, at }, 5_000, (options) => endpoint.runSync({ input }, { wait: 1_000, every: 2_000, ...options }));
    until(100_000);
    expect(wire('cancel')).toEqual(['5000-5000 cancel 200']);
    expect(emulator.jobs()).toMatchObject([{ status: 'CANCELLED', cancelRequests: 1 }]);
    expect(settled(client, see)).toEqual({ ...nothing, cancelled: [emulator.jobs()[0]!.id] });
  });
});

describe('S4 a read error does not abandon the job', () => {
  test.each<[string, Answer]>([
    ['a refusal', { status: 401 }],
    ['an outage', { status: 503 }],
    ['a missing job', { status: 404 }],
  ])('runSync: %s while it polls does not cancel the job', (_, answer) => {
    const { client, endpoint, sent, see, until } = script(({ operation }) =>
      operation === 'runsync' ? queued : answer,
    );
    const seen = see(endpoint.runSync({ input }, { outage: 30_000 }));
    until(1_000_000);
    expect(seen.error).toMatchObject({ jobId: 'job-1' });
    expect(sent.filter(({ operation }) => operation === 'cancel')).toEqual([]);
    expect(settled(client, see)).toEqual(nothing);
  });
});

describe('S6 the cancel of an abandoned job', () => {
  /** Abandons a run that is answered after 100 ms; `cancel` answers the cancels, and `status` the reads. */
  const abandonRun = (cancel: (nth: number, now: number) => Answer, status: Answer = { status: 500 }) => {
    let nth = 0;
    const made = script(({ operation }) => {
      if (operation === 'run') return { ...queued, after: 100 };
      return operation === 'cancel' ? cancel(++nth, made.scheduler.now()) : status;
    });
    const { endpoint, see } = made;
    see(endpoint.run({ input })).subscription.unsubscribe();
    return { ...made, cancels: () => made.sent.filter(({ operation }) => operation === 'cancel') };
  };

  test.each<[string, Answer]>([
    ['a 5xx', { status: 502 }],
    ['a 408', { status: 408 }],
    ['a 429', { status: 429 }],
    ['a lost connection', { phase: 'sent' }],
    ['a failed connection attempt', { phase: 'connect' }],
  ])('is repeated after %s until it succeeds', (_, answer) => {
    const { client, cancels, see, until } = abandonRun((nth) => (nth < 9 ? answer : cancelled));
    until(600_000);
    expect(cancels()).toHaveLength(9);
    expect(settled(client, see)).toEqual({ ...nothing, cancelled: ['job-1'] });
  });

  test('is repeated when no answer comes', () => {
    const { client, cancels, see, until } = abandonRun((nth) => (nth < 3 ? 'never' : cancelled));
    until(600_000);
    expect(cancels()).toHaveLength(3);
    expect(settled(client, see)).toEqual({ ...nothing, cancelled: ['job-1'] });
  });

  test.each([401, 403])('is given up after four times a %i, since keys rotate', (status) => {
    const { client, cancels, see, until } = abandonRun(() => ({ status }));
    until(600_000);
    expect(cancels().map(({ at }) => at)).toEqual([100, 1_100, 3_100, 7_100]);
    expect(settled(client, see)).toEqual({ ...nothing, abandoned: ['job-1'] });
  });

  test('S18 is repeated after a 404 within 10 s of the submission', () => {
    const { client, cancels, see, until } = abandonRun((_, now) => (now < 5_000 ? { status: 404 } : cancelled));
    until(4_000);
    expect(settled(client, see)).toBeUndefined();
    until(600_000);
    expect(cancels().length).toBeGreaterThan(2);
    expect(settled(client, see)).toEqual({ ...nothing, cancelled: ['job-1'] });
  });

  test('S18 ends with the job finished on a 404 later than 10 s after the submission', () => {
    const { client, cancels, see, until } = abandonRun(() => ({ status: 404 }));
    until(600_000);
    expect(settled(client, see)).toEqual({ ...nothing, finished: ['job-1'] });
    const last = cancels().at(-1)!.at;
    expect(last).toBeGreaterThanOrEqual(10_100);
    expect(last).toBeLessThan(11_000);
  });

  test('S18 is given up after four times a 404 for an unknown endpoint', () => {
    const { client, cancels, see, until } = abandonRun(() => ({ status: 404, body: { detail: 'endpoint not found' } }));
    until(600_000);
    expect(cancels()).toHaveLength(4);
    // The job may still run: the key may have lost its access to the endpoint.
    expect(settled(client, see)).toEqual({ ...nothing, abandoned: ['job-1'] });
  });

  test('is given up after ten minutes', () => {
    const { client, cancels, see, until } = abandonRun(() => ({ status: 503 }));
    until(560_000);
    expect(settled(client, see)).toBeUndefined();
    expect(cancels().at(-1)!.at).toBeGreaterThan(500_000);
    until(700_000);
    const tried = cancels().length;
    expect(settled(client, see)).toEqual({ ...nothing, abandoned: ['job-1'] });
    until(10_000_000);
    expect(cancels()).toHaveLength(tried);
    expect(tried).toBeLessThan(200);
  });

  test.each<[string, Answer, string]>([
    ['COMPLETED', { body: { id: 'job-1', status: 'COMPLETED' } }, 'finished'],
    ['CANCELLED', { body: { id: 'job-1', status: 'CANCELLED' } }, 'cancelled'],
    ['gone', { status: 404, body: { error: 'job not found' } }, 'finished'],
  ])('takes its outcome from the status of the job after a refusal: %s', (_, status, outcome) => {
    const refusal: Answer = { status: 400, body: { error: 'job is over' } };
    const { client, cancels, see, until } = abandonRun(() => refusal, status);
    until(600_000);
    expect(cancels()).toHaveLength(1);
    expect(settled(client, see)).toEqual({ ...nothing, [outcome]: ['job-1'] });
  });

  test('is repeated after a refusal while the job still runs', () => {
    const { client, cancels, see, until } = abandonRun(
      (nth) => (nth < 3 ? { status: 400, body: { error: 'not now' } } : cancelled),
      { body: { id: 'job-1', status: 'IN_PROGRESS' } },
    );
    until(600_000);
    expect(cancels()).toHaveLength(3);
    expect(settled(client, see)).toEqual({ ...nothing, cancelled: ['job-1'] });
  });

  test('touches no other job and never purges the queue', () => {
    const { endpoint, emulator, see, until } = world({ latency: 100 });
    see(endpoint.run({ input }));
    see(endpoint.run({ input })).subscription.unsubscribe();
    until(10_000);
    expect(emulator.jobs().map(({ status }) => status)).toEqual(['IN_PROGRESS', 'CANCELLED']);
    expect(emulator.requests().map(({ operation }) => operation)).toEqual(['run', 'run', 'cancel']);
  });

  test('keeps within the limits of /cancel', () => {
    const limits = { cancel: { requests: 5, per: 10_000, concurrent: 2 } };
    const { client, endpoint, emulator, see, until } = world({ latency: 100, limits }, { limits });
    for (let n = 0; n < 20; n++) see(endpoint.run({ input: { ms: 1e6 } })).subscription.unsubscribe();
    until(200_000);
    expect(emulator.requests().filter(({ status }) => status === 429)).toEqual([]);
    expect(emulator.jobs().every(({ status }) => status === 'CANCELLED')).toBe(true);
    expect(settled(client, see)?.cancelled).toHaveLength(20);
  });
});

describe('close()', () => {
  test('S4 ends open calls, cancels abandoned jobs, then closes the transport', () => {
    const closing = new Subject<never>();
    let closed = 0;
    const { emulator, scheduler, see, until } = world({ latency: 100 });
    const transport: Transport = Object.assign((request: TransportRequest) => emulator.transport(request), {
      close: () => {
        closed++;
        return closing;
      },
    });
    const client = createRunpod({ transport, scheduler, apiKey: 'key' });
    const endpoint = client.endpoint('demo');
    const first = see(endpoint.run({ input }));
    until(1_000);
    const { id } = first.values[0]!;
    const run = see(endpoint.run({ input }));
    const watch = see(endpoint.watch(id));
    const health = see(endpoint.watchHealth());
    until(1_050);
    const report = see(client.close());
    for (const seen of [run, watch, health])
      expect(seen).toMatchObject({ ended: 1_050, error: { code: 'client_closed' } });
    expect(watch.error).toMatchObject({ jobId: id });
    expect(closed).toBe(0);
    until(10_000);
    expect(closed).toBe(1);
    expect(report.values).toEqual([]);
    const [kept, abandoned] = emulator.jobs();
    expect(abandoned).toMatchObject({ status: 'CANCELLED' });
    // The caller has the id of the first job, so the client does not cancel it.
    expect(kept).toMatchObject({ cancelRequests: 0 });
    closing.complete();
    expect(report.values).toMatchObject([{ cancelled: [{ id: abandoned!.id }] }]);
    expect(report.ended).toBe(10_000);
  });

  test('S4 ends a runSync that polls, and cancels its job', () => {
    const { client, endpoint, emulator, see, until } = world();
    const seen = see(endpoint.runSync({ input }, { wait: 1_000 }));
    until(5_000);
    const report = see(client.close());
    until(10_000);
    expect(seen).toMatchObject({ ended: 5_000, error: { code: 'client_closed' } });
    expect(emulator.jobs()).toMatchObject([{ status: 'CANCELLED' }]);
    expect(report.values).toMatchObject([{ cancelled: [{ id: emulator.jobs()[0]!.id }] }]);
  });

  test('acts when it is called, without a subscriber', () => {
    const { client, endpoint, see, until } = world({ latency: 100 });
    const seen = see(endpoint.health());
    client.close();
    until(0);
    expect(seen.error).toMatchObject({ code: 'client_closed' });
  });

  test('makes later calls error, and they send nothing', () => {
    const { client, endpoint, see, until, wire } = world();
    see(client.close());
    const after = [
      endpoint.run({ input }),
      endpoint.runSync({ input }),
      endpoint.status('a'),
      endpoint.watch('b'),
      endpoint.stream('c'),
      endpoint.cancel('d'),
      endpoint.retry('e'),
      endpoint.health(),
      endpoint.watchHealth(),
      endpoint.purgeQueue(),
      endpoint.request('x'),
      client.endpoint('other').health(),
    ].map((call$) => see<unknown>(call$));
    until(1_000_000);
    for (const { error, ended } of after) {
      expect(error).toMatchObject({ code: 'client_closed' });
      expect(ended).toBe(0);
    }
    expect(wire()).toEqual([]);
  });

  test('completes activity$ once every pending cancel has ended', () => {
    const { client, endpoint, see, until } = world({ latency: 100 });
    const activity = see(client.activity$);
    see(endpoint.run({ input }));
    until(50);
    see(client.close());
    until(10_000);
    expect(activity.values.at(-1)).toMatchObject({ type: 'cancel', outcome: 'cancelled', at: 200 });
    expect(activity.ended).toBe(200);
  });
});
