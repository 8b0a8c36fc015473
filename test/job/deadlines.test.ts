import { NEVER, retry, throwError } from 'rxjs';
import { describe, expect, test, vi } from 'vitest';
import { JobDeadlineError } from 'runpod-rx';
import type { JobOptions, JobTimeout, Limits } from 'runpod-rx';
import type { EmulatorOptions } from 'runpod-rx/testing';
import { script, statuses, world, type Answer, type World } from '../support/world.js';
import { acting, tally, when } from './support/acting.js';

const input = { ms: 600_000 };
const queued: Answer = { body: { id: 'job-1', status: 'IN_QUEUE' } };
const MINUTE = 60_000;
const DAY = 86_400_000;

/** A service that does not enforce `executionTimeout`, so that the client's own deadline takes effect. */
const lasting = ({ endpoints: { demo = acting } = {}, ...options }: Partial<EmulatorOptions> = {}): World =>
  world({ endpoints: { demo: { killLag: 1e8, ...demo } }, ...options });

/** A poll so slow that the read at a deadline comes first. */
const seldom = { every: 500_000 };

describe('S12 what is sent to the service', () => {
  const sentPolicy = (timeout: JobOptions['timeout'], policy?: object) => {
    const { endpoint, sent, see } = script(() => queued);
    see(endpoint.job({ input, ...(policy && { policy }) }, { timeout }).state$);
    expect(sent[0]).toMatchObject({ operation: 'run' });
    return (JSON.parse(sent[0]!.body!) as { policy?: object }).policy;
  };

  test.each<[string, JobOptions['timeout'], object | undefined]>([
    ['of no timeout', undefined, undefined],
    ['of a number', 100_000, { executionTimeout: 100_000, ttl: 100_000 + 35 * MINUTE }],
    ['of a total', { total: 100_000 }, { executionTimeout: 100_000, ttl: 100_000 + 35 * MINUTE }],
    ['of an execution', { execution: 100_000 }, { executionTimeout: 100_000 }],
    [
      'of all three',
      { queue: 50_000, execution: 100_000, total: 200_000 },
      { executionTimeout: 100_000, ttl: 200_000 + 35 * MINUTE },
    ],
    ['of a queue, which the service does not have', { queue: 50_000 }, undefined],
    ['of less than the service takes', 1_000, { executionTimeout: 5_000, ttl: 1_000 + 35 * MINUTE }],
    ['of no time at all', 0, { executionTimeout: 5_000, ttl: 35 * MINUTE }],
    ['of more than the service takes', { execution: 8 * DAY }, { executionTimeout: 7 * DAY }],
    ['of a total whose ttl would be too long', 7 * DAY, { executionTimeout: 7 * DAY, ttl: 7 * DAY }],
  ])('%s', (_, timeout, policy) => {
    expect(sentPolicy(timeout)).toEqual(policy);
  });

  test('is the caller’s own policy, where there is one', () => {
    expect(sentPolicy(100_000, { ttl: 50_000, lowPriority: true })).toEqual({
      executionTimeout: 100_000,
      ttl: 50_000,
      lowPriority: true,
    });
    expect(sentPolicy(100_000, { executionTimeout: 6_000, ttl: 50_000 })).toEqual({
      executionTimeout: 6_000,
      ttl: 50_000,
    });
    expect(sentPolicy(undefined, { executionTimeout: 6_000 })).toEqual({ executionTimeout: 6_000 });
  });

  test('is set where the caller’s own policy is undefined', () => {
    expect(sentPolicy(100_000, { executionTimeout: undefined, ttl: undefined, lowPriority: true })).toEqual({
      executionTimeout: 100_000,
      ttl: 100_000 + 35 * MINUTE,
      lowPriority: true,
    });
  });

  test('is checked as it was given: a policy that is no object is refused', () => {
    const { endpoint, sent, see, until } = script(() => queued);
    const seen = see(endpoint.job({ input, policy: 'x' as never }, { timeout: 100_000 }).output$);
    until(1_000);
    expect(seen.error).toMatchObject({ code: 'validation', message: expect.stringContaining('policy') as string });
    expect(sent).toEqual([]);
  });
});

describe('S8 at a deadline', () => {
  test('a job that has completed since the last read is delivered, and nothing is cancelled', () => {
    const { emulator, endpoint, see, until, wire } = lasting({ latency: 100 });
    const seen = see(endpoint.job({ input: { ms: 4_000 } }, { timeout: 5_000, ...seldom }).output$);
    until(100_000);
    expect(seen).toMatchObject({ values: [{ echo: { ms: 4_000 } }], ended: 5_100 });
    expect(seen.error).toBeUndefined();
    expect(wire()).toEqual(['0-100 run 200', '100-200 status 200', '5000-5100 status 200']);
    expect(emulator.jobs()).toMatchObject([{ status: 'COMPLETED', cancelRequests: 0 }]);
  });

  test('a job that failed is delivered: data on state$, its own error on output$', () => {
    const made = lasting({ endpoints: { demo: acting } });
    const job = made.endpoint.job({ input: { ms: 4_000, fails: 'no memory' } }, { timeout: 5_000, ...seldom });
    const [state, output] = [made.see(job.state$), made.see(job.output$)];
    made.until(100_000);
    expect(statuses(state).at(-1)).toBe('FAILED');
    expect(state.error).toBeUndefined();
    expect(output.error).toMatchObject({ code: 'job_failed', message: expect.stringContaining('no memory') as string });
    expect([state.ended, output.ended]).toEqual([5_000, 5_000]);
    expect(tally(made)).toEqual({ run: 1, status: 2 });
  });

  test('a job that runs is cancelled, read once more, and its views error', () => {
    const made = lasting({ latency: 100 });
    const seen = made.see(made.endpoint.job({ input }, { timeout: 5_000, tag: 'mine', ...seldom }).output$);
    made.until(100_000);
    expect(seen.values).toEqual([]);
    expect(seen.error).toBeInstanceOf(JobDeadlineError);
    const { id } = made.emulator.jobs()[0]!;
    expect(seen.error).toMatchObject({
      code: 'job_deadline',
      limit: 'total',
      by: 'client',
      jobId: id,
      endpointId: 'demo',
      tag: 'mine',
      snapshot: { status: 'IN_PROGRESS' },
    });
    expect(made.wire()).toEqual([
      '0-100 run 200',
      '100-200 status 200',
      '5000-5100 status 200',
      '5100-5200 cancel 200',
      '5200-5300 status 200',
    ]);
    expect(seen.ended).toBe(5_300);
    expect(made.emulator.jobs()).toMatchObject([{ status: 'CANCELLED', cancelRequests: 1 }]);
    const settled = made.see(made.client.settled());
    expect(settled.values).toMatchObject([{ cancelled: [{ id }], finished: [], abandoned: [] }]);
  });

  test.each(['not-found', 'state'] as const)(
    'a job that completes before its cancel arrives is delivered (a late cancel is answered with its %s)',
    (cancelEnded) => {
      const made = lasting({ latency: 100, variants: { cancelEnded } });
      const seen = made.see(made.endpoint.job({ input: { ms: 20_050 } }, { timeout: 20_000, ...seldom }).output$);
      made.until(100_000);
      expect(seen.error).toBeUndefined();
      expect(seen.values).toEqual([{ echo: { ms: 20_050 } }]);
      expect(tally(made)).toMatchObject({ run: 1, cancel: 1 });
      expect(made.emulator.jobs()).toMatchObject([{ status: 'COMPLETED', cancelRequests: 1 }]);
    },
  );

  test('a job that fails before its cancel arrives has missed its deadline', () => {
    const made = lasting({ latency: 100, endpoints: { demo: acting } });
    const job = made.endpoint.job({ input: { ms: 5_050, fails: 'no' } }, { timeout: 5_000, ...seldom });
    const seen = made.see(job.output$);
    made.until(100_000);
    expect(seen.error).toMatchObject({ code: 'job_deadline', by: 'client' });
    expect(made.emulator.jobs()).toMatchObject([{ status: 'FAILED', cancelRequests: 1 }]);
  });

  test('a read in flight does not count: its answer may be older than the deadline', () => {
    const made = lasting({ latency: ({ url }) => (url.includes('/status/') ? 400 : 100) });
    const seen = made.see(made.endpoint.job({ input }, { timeout: 5_000, every: 4_300 }).output$);
    made.until(100_000);
    expect(made.wire('status')).toEqual([
      '100-500 status 200',
      '4800-5000 status aborted',
      '5000-5400 status 200',
      '5500-5900 status 200',
    ]);
    expect(seen).toMatchObject({ ended: 5_900, error: { code: 'job_deadline' } });
  });

  test.each<[number | undefined, number]>([
    [undefined, 10_000],
    [1_000, 6_000],
    [0, 5_000],
  ])('without any answer, and settle %s, the views error at %i, and the cancel goes on', (settle, ended) => {
    const made = lasting();
    const { client, emulator, endpoint, at, see, until } = made;
    const seen = see(endpoint.job({ input }, { timeout: 5_000, settle, ...seldom }).output$);
    let mend = () => undefined as void;
    at(4_000, () => {
      const mended = [
        emulator.inject({ fault: 'reset-before', on: 'cancel' }),
        emulator.inject({ fault: 'no-answer', on: 'status' }),
      ];
      mend = () => {
        for (const one of mended) one();
      };
    });
    until(100_000);
    expect(seen).toMatchObject({ ended, error: { code: 'job_deadline', by: 'client', limit: 'total' } });
    expect(emulator.jobs()).toMatchObject([{ status: 'IN_PROGRESS' }]);
    const closing = see(client.settled());
    expect(closing.values).toEqual([]);
    mend();
    until(200_000);
    expect(emulator.jobs()).toMatchObject([{ status: 'CANCELLED', cancelRequests: 1 }]);
    expect(closing.values).toMatchObject([{ cancelled: [{ id: emulator.jobs()[0]!.id }] }]);
    const cancels = when(made, 'cancel').length;
    expect(cancels).toBeGreaterThan(1);
    until(2_000_000);
    expect(when(made, 'cancel')).toHaveLength(cancels);
    expect(tally(made).run).toBe(1);
  });

  test('a job whose status cannot be read is cancelled', () => {
    const made = lasting();
    made.at(4_000, () => void made.emulator.inject({ fault: 'answer', status: 400, on: 'status' }));
    const seen = made.see(made.endpoint.job({ input }, { timeout: 5_000, ...seldom }).output$);
    made.until(100_000);
    expect(seen).toMatchObject({ ended: 5_000, error: { code: 'job_deadline' } });
    expect(made.emulator.jobs()).toMatchObject([{ status: 'CANCELLED', cancelRequests: 1 }]);
  });

  test('a job that is gone is an error of its views, and nothing is cancelled', () => {
    const made = lasting({ variants: { expired: 'gone' } });
    const request = { input, policy: { ttl: 10_000 } };
    const seen = made.see(made.endpoint.job(request, { timeout: 11_000, ...seldom }).output$);
    made.until(1_000_000);
    expect(seen).toMatchObject({ ended: 11_000, error: { code: 'job_expired' } });
    expect(tally(made)).toEqual({ run: 1, status: 2 });
    expect(made.see(made.client.settled()).values).toMatchObject([{ cancelled: [], abandoned: [] }]);
  });

  test('a job is cancelled although its last view unsubscribes while it is read one last time', () => {
    const made = lasting({ latency: 100 });
    const seen = made.see(made.endpoint.job({ input }, { timeout: 5_000, onUnsubscribe: 'cancel', ...seldom }).state$);
    made.at(5_050, () => {
      seen.subscription.unsubscribe();
    });
    made.until(100_000);
    expect(made.emulator.jobs()).toMatchObject([{ status: 'CANCELLED', cancelRequests: 1 }]);
    expect(tally(made)).toMatchObject({ run: 1, cancel: 1 });
  });

  test('the job is cancelled, whatever onUnsubscribe says', () => {
    for (const onUnsubscribe of ['detach', 'cancel-if-queued'] as const) {
      const made = lasting();
      const seen = made.see(made.endpoint.job({ input }, { timeout: 5_000, onUnsubscribe, ...seldom }).output$);
      made.until(100_000);
      expect(seen.error).toMatchObject({ code: 'job_deadline' });
      expect(made.emulator.jobs()).toMatchObject([{ status: 'CANCELLED', cancelRequests: 1 }]);
    }
  });

  test('a job that ended in time is not affected by its deadline', () => {
    const made = lasting();
    const seen = made.see(made.endpoint.job({ input: { ms: 4_000 } }, { timeout: 5_000 }).output$);
    made.until(4_999);
    expect(seen.values).toHaveLength(1);
    const reads = tally(made);
    made.until(1_000_000);
    expect(tally(made)).toEqual(reads);
    expect(reads.cancel).toBeUndefined();
  });
});

describe('S12 the limits', () => {
  test('queue: over while no worker has taken the job', () => {
    const made = lasting({ endpoints: { demo: { ...acting, workers: 0 } } });
    const seen = made.see(made.endpoint.job({ input }, { timeout: { queue: 3_000, total: 60_000 } }).output$);
    made.until(100_000);
    expect(seen).toMatchObject({
      ended: 3_000,
      error: { code: 'job_deadline', limit: 'queue', by: 'client', snapshot: { status: 'IN_QUEUE' } },
    });
    expect(made.emulator.jobs()).toMatchObject([{ status: 'CANCELLED', cancelRequests: 1 }]);
  });

  test('queue: has no effect once a worker has the job', () => {
    const made = lasting({ endpoints: { demo: { ...acting, coldStart: 2_000 } } });
    const seen = made.see(made.endpoint.job({ input: { ms: 20_000 } }, { timeout: { queue: 3_000 } }).output$);
    made.until(100_000);
    expect(seen.values).toHaveLength(1);
    expect(tally(made).cancel).toBeUndefined();
  });

  test('queue: a job that the read at the deadline finds running goes on', () => {
    const made = lasting({ endpoints: { demo: { ...acting, coldStart: 2_000 } } });
    const seen = made.see(
      made.endpoint.job({ input: { ms: 20_000 } }, { timeout: { queue: 3_000 }, every: 10_000 }).output$,
    );
    made.until(100_000);
    expect(seen.error).toBeUndefined();
    expect(seen.values).toHaveLength(1);
    expect(tally(made).cancel).toBeUndefined();
  });

  test('queue: counts from the first subscription also for a job that was submitted long ago', () => {
    const made = lasting({ endpoints: { demo: { ...acting, workers: 0 } } });
    const { id } = made.see(made.endpoint.run({ input })).values[0]!;
    made.until(60_000);
    const ref = { v: 1, endpointId: 'demo', id, submittedAt: 0 } as const;
    const seen = made.see(made.endpoint.attach(ref, { timeout: { queue: 3_000 } }).output$);
    made.until(62_999);
    expect(seen.error).toBeUndefined();
    made.until(100_000);
    expect(seen).toMatchObject({ ended: 63_000, error: { limit: 'queue' } });
  });

  test.each<JobTimeout>([{ execution: 2 ** 31 - 1 }, { total: 2 ** 31 - 1 }, { queue: 2 ** 31 - 1 }])(
    'S2 with %o no timer is longer than the engine can wait, which would fire at once',
    (timeout) => {
      const made = script(({ operation }) => ({
        body: { id: 'job-1', status: operation === 'run' ? 'IN_QUEUE' : 'IN_PROGRESS' },
        after: 5,
      }));
      const schedule = vi.spyOn(made.scheduler, 'schedule');
      made.see(made.endpoint.job({ input }, { timeout, ...seldom }).output$);
      made.until(1_000_000);
      expect(tally(made)).toEqual({ run: 1, status: 2 });
      expect(Math.max(...schedule.mock.calls.map(([, delay = 0]) => delay))).toBeLessThan(2 ** 31);
    },
  );

  test('total: includes the submission and the time in the queue', () => {
    const latency = ({ url }: { url: string }) => (url.endsWith('/run') ? 2_000 : 0);
    const made = lasting({ latency, endpoints: { demo: { ...acting, coldStart: 3_000 } } });
    const seen = made.see(made.endpoint.job({ input }, { timeout: 6_000 }).output$);
    made.until(100_000);
    expect(seen).toMatchObject({ ended: 6_000, error: { limit: 'total', snapshot: { status: 'IN_PROGRESS' } } });
  });

  test('execution: where the service enforces it, the error is the same', () => {
    const made = lasting({ endpoints: { demo: { ...acting, killLag: 3_000 } } });
    const job = made.endpoint.job({ input }, { timeout: { execution: 6_000 } });
    const [output, state] = [made.see(job.output$), made.see(job.state$)];
    made.until(100_000);
    expect(output.error).toBeInstanceOf(JobDeadlineError);
    expect(output.error).toMatchObject({ limit: 'execution', by: 'server', snapshot: { status: 'FAILED' } });
    expect(output.ended).toBeGreaterThan(8_999);
    expect(output.ended).toBeLessThan(10_001);
    expect(statuses(state).at(-1)).toBe('FAILED');
    expect(state.error).toBeUndefined();
    expect(tally(made).cancel).toBeUndefined();
    expect(made.emulator.jobs()).toMatchObject([{ policy: { executionTimeout: 6_000 }, cancelRequests: 0 }]);
  });

  test('execution: where the service does not, the client steps in, 15 s late, counted from when the job was first seen to run', () => {
    const made = lasting({ endpoints: { demo: { ...acting, killLag: 100_000, coldStart: 4_000 } } });
    const seen = made.see(made.endpoint.job({ input }, { timeout: { execution: 6_000 }, every: 1_000 }).output$);
    made.until(24_999);
    expect(seen.error).toBeUndefined();
    made.until(100_000);
    expect(seen).toMatchObject({ ended: 25_000, error: { limit: 'execution', by: 'client' } });
    expect(made.emulator.jobs()).toMatchObject([{ status: 'CANCELLED', cancelRequests: 1 }]);
  });

  test('the earliest of several limits counts', () => {
    const first = (timeout: JobTimeout) => {
      const made = lasting({ endpoints: { demo: { ...acting, killLag: 1e6 } } });
      const seen = made.see(made.endpoint.job({ input }, { timeout }).output$);
      made.until(200_000);
      return (seen.error as JobDeadlineError).limit + ' ' + String(seen.ended);
    };
    expect(first({ queue: 1_000, execution: 6_000, total: 30_000 })).toBe('execution 21500');
    expect(first({ queue: 1_000, execution: 6_000, total: 20_000 })).toBe('total 20000');
  });
});

describe('a deadline and the submission', () => {
  const early: [string, JobOptions, Limits][] = [
    ['beforeSubmit goes on for ever', { beforeSubmit: () => NEVER }, {}],
    ['the submission waits for its turn', {}, { run: { requests: 1, per: 60_000 } }],
  ];
  test.each(early)('S12 S5 passed before it was sent, because %s: it is never sent', (_, options, limits) => {
    const made = script(({ operation }) => (operation === 'cancel' ? { status: 400 } : queued), { limits });
    const { client, endpoint, see, until } = made;
    // Uses up the budget of a minute.
    const other = see(endpoint.run({ input }));
    expect(other.values).toHaveLength(1);
    const before = made.sent.length;
    const seen = see(endpoint.job({ input }, { timeout: 5_000, ...options }).output$);
    until(4_999);
    expect(seen.error).toBeUndefined();
    until(5_000);
    expect(seen).toMatchObject({ ended: 5_000, error: { code: 'job_deadline', limit: 'total', by: 'client' } });
    until(1_000_000);
    expect(made.sent).toHaveLength(before);
    expect(see(client.settled()).values).toHaveLength(1);
    expect(made.scheduler.actions).toEqual([]);
  });

  test('S12 S5 passed while it pauses after a 429: it is not sent again', () => {
    const made = script(() => ({ status: 429, headers: { 'retry-after': '20' } }));
    const seen = made.see(made.endpoint.job({ input }, { timeout: 5_000 }).output$);
    made.until(1_000_000);
    expect(seen).toMatchObject({ ended: 5_000, error: { code: 'job_deadline' } });
    expect(tally(made)).toEqual({ run: 1 });
  });

  test('S12 S5 passed while it is on its way: read to its end, and cancelled once the id is known', () => {
    const latency = ({ url }: { url: string }) => (url.endsWith('/run') ? 8_000 : 100);
    const made = lasting({ latency });
    const job = made.endpoint.job({ input }, { timeout: 5_000 });
    const seen = made.see(job.output$);
    made.until(5_000);
    expect(seen).toMatchObject({ ended: 5_000, error: { code: 'job_deadline' } });
    const settled = made.see(made.client.settled());
    made.until(7_999);
    expect(settled.values).toEqual([]);
    made.until(1_000_000);
    expect(made.wire()).toEqual(['0-8000 run 200', '8000-8100 cancel 200']);
    expect(settled.values).toMatchObject([{ cancelled: [{ id: made.emulator.jobs()[0]!.id }] }]);
    expect(made.emulator.jobs()).toMatchObject([{ status: 'CANCELLED', cancelRequests: 1 }]);
    // A later subscriber submits nothing, and gets the same error.
    const late = made.see(job.state$);
    made.until(1_001_000);
    expect(late.error).toBe(seen.error);
    expect(tally(made)).toEqual({ run: 1, cancel: 1 });
  });

  test('S1 S12 passed while it is on its way, and the answer is lost: nothing is cancelled, and nothing sent again', () => {
    const made = script(() => ({ status: 503, after: 8_000 }));
    const seen = made.see(made.endpoint.job({ input }, { timeout: 5_000 }).output$);
    made.until(1_000_000);
    expect(seen).toMatchObject({ ended: 5_000, error: { code: 'job_deadline' } });
    expect(tally(made)).toEqual({ run: 1 });
    expect(made.see(made.client.settled()).values).toHaveLength(1);
    expect(made.scheduler.actions).toEqual([]);
  });
});

describe('a deadline and the subscribers', () => {
  test('all views get the same error at the same time; later subscribers get it asynchronously', () => {
    const made = lasting({ latency: 100, endpoints: { demo: acting } });
    const job = made.endpoint.job({ input }, { timeout: 5_000, ...seldom });
    const views = [job.events$, job.state$, job.progress$, job.output$, job.state$, job.chunks$];
    const seen = views.map((view$) => made.see<unknown>(view$));
    made.until(100_000);
    const before = tally(made);
    for (const one of seen) expect([one.error, one.ended]).toEqual([seen[0]!.error, 5_300]);
    expect(seen[0]!.error).toBeInstanceOf(JobDeadlineError);
    const late = [...views, job.id$].map((view$) => made.see<unknown>(view$));
    for (const { error, ended } of late) expect([error, ended]).toEqual([undefined, undefined]);
    made.until(100_001);
    for (const one of late.slice(0, -1)) expect(one.error).toBe(seen[0]!.error);
    made.until(1_000_000);
    expect(tally(made)).toEqual(before);
    expect(before).toMatchObject({ run: 1, cancel: 1 });
  });

  test('S22 a bare retry() of a view that errored does not call itself without end', () => {
    const made = lasting();
    const job = made.endpoint.job({ input }, { timeout: 5_000 });
    const seen = made.see(job.output$.pipe(retry(20)));
    made.until(100_000);
    expect(seen.error).toMatchObject({ code: 'job_deadline' });
    expect(tally(made)).toMatchObject({ run: 1, cancel: 1 });
  });

  test('passed while a detached job has no subscribers: it acts at the next subscription', () => {
    const made = lasting();
    const job = made.endpoint.job({ input }, { timeout: 5_000, onUnsubscribe: 'detach' });
    const first = made.see(job.state$);
    made.until(2_000);
    first.subscription.unsubscribe();
    made.until(60_000);
    const before = tally(made);
    expect(before.cancel).toBeUndefined();
    const second = made.see(job.output$);
    made.until(100_000);
    expect(second).toMatchObject({ ended: 60_000, error: { code: 'job_deadline', limit: 'total' } });
    expect(tally(made)).toMatchObject({ run: 1, cancel: 1 });
  });

  test('passed without subscribers, and the job completed: the next subscriber gets the output', () => {
    const made = lasting();
    const job = made.endpoint.job({ input: { ms: 30_000 } }, { timeout: 5_000, onUnsubscribe: 'detach' });
    const first = made.see(job.state$);
    made.until(2_000);
    first.subscription.unsubscribe();
    made.until(60_000);
    const second = made.see(job.output$);
    made.until(100_000);
    expect(second.values).toHaveLength(1);
    expect(tally(made).cancel).toBeUndefined();
  });

  test('does not pass during the grace', () => {
    const made = lasting();
    const job = made.endpoint.job({ input }, { timeout: 5_000, grace: 20_000, ...seldom });
    const first = made.see(job.state$);
    made.until(2_000);
    first.subscription.unsubscribe();
    made.until(21_999);
    expect(tally(made)).toEqual({ run: 1, status: 1 });
    made.until(100_000);
    expect(when(made, 'cancel')).toEqual([22_000]);
  });

  test('does not pass for id$ alone', () => {
    const made = lasting();
    const seen = made.see(made.endpoint.job({ input }, { timeout: 5_000 }).id$);
    made.until(100_000);
    expect(seen.values).toHaveLength(1);
    expect(tally(made)).toEqual({ run: 1 });
  });

  test('begins at the first subscription, not when the job is made', () => {
    const made = lasting();
    const job = made.endpoint.job({ input }, { timeout: 5_000 });
    made.until(50_000);
    const seen = made.see(job.output$);
    made.until(100_000);
    expect(seen.ended).toBe(55_000);
  });

  test('of an attached job: total counts from the reference, execution and queue from what this client sees; all cancel', () => {
    const made = lasting({ endpoints: { demo: { ...acting, killLag: 1e6, executionTimeout: 1e6 } } });
    const ran = made.see(made.endpoint.run({ input }));
    const { id } = ran.values[0]!;
    made.until(10_000);
    const ref = { v: 1, endpointId: 'demo', id, submittedAt: 0 } as const;
    const [total, plain] = [
      made.see(made.endpoint.attach(ref, { timeout: 15_000, onUnsubscribe: 'detach' }).output$),
      made.see(made.endpoint.attach(id, { timeout: 15_000 }).output$),
    ];
    made.until(100_000);
    expect(total).toMatchObject({ ended: 15_000, error: { code: 'job_deadline', limit: 'total' } });
    // Its own deadline would have been at 25 s; it sees the effect of the other job's cancel.
    expect(plain.error).toMatchObject({ code: 'job_cancelled' });
    expect(tally(made)).toMatchObject({ run: 1, cancel: 1 });
  });
});

describe('an invalid limit', () => {
  const fields: [string, (value: number) => JobOptions][] = [
    ['timeout', (timeout) => ({ timeout })],
    ['timeout.queue', (queue) => ({ timeout: { queue } })],
    ['timeout.execution', (execution) => ({ timeout: { execution } })],
    ['timeout.total', (total) => ({ timeout: { total } })],
    ['grace', (grace) => ({ grace })],
    ['settle', (settle) => ({ settle })],
    ['every', (every) => ({ every })],
    ['outage', (outage) => ({ outage })],
  ];
  const bad = [-1, NaN, 2 ** 31, Infinity, '5' as unknown as number];
  test.each(fields.flatMap(([field, options]) => bad.map((value) => [field, value, options] as const)))(
    'S20 %s: %s is refused by its name, before anything is sent',
    (field, value, options) => {
      const made = script(() => queued);
      const job = made.endpoint.job({ input }, options(value));
      const seen = [job.output$, job.events$, job.id$].map((view$) => made.see<unknown>(view$));
      for (const { error } of seen) expect(error).toBeUndefined();
      made.until(10_000);
      for (const { error } of seen) {
        expect(error).toMatchObject({ code: 'validation' });
        expect((error as Error).message).toContain(field);
        expect((error as Error).message).toContain(String(value));
      }
      expect(made.sent).toEqual([]);
      expect(made.scheduler.actions).toEqual([]);
    },
  );

  test('S20 is refused for an attached job, too', () => {
    const made = script(() => queued);
    const seen = made.see(made.endpoint.attach('job-1', { timeout: { queue: -1 } }).state$);
    made.until(10_000);
    expect(seen.error).toMatchObject({ code: 'validation', jobId: 'job-1' });
    expect((seen.error as Error).message).toContain('timeout.queue');
    expect(made.sent).toEqual([]);
  });

  test('an error of the job is not taken for a deadline’s', () => {
    const made = script(() => queued);
    const failure = new Error('the store is full');
    const seen = made.see(
      made.endpoint.job({ input }, { timeout: 5_000, beforeSubmit: () => throwError(() => failure) }).output$,
    );
    made.until(10_000);
    expect(seen.error).toBe(failure);
    expect(made.sent).toEqual([]);
  });
});
