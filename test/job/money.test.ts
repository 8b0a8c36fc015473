import { Subject } from 'rxjs';
import { describe, expect, test } from 'vitest';
import type { JobRef, JobTimeout } from 'runpod-rx';
import { script, statuses, world, type Answer, type Script } from '../support/world.js';
import { expectSilence, settled } from './support.js';
import { tally, when } from './support/acting.js';
import { running, says } from './support/says.js';

const input = { ms: 20_000 };
/** A poll so slow that it reads nothing during a test. */
const seldom = { every: 100_000 };

/** A job that runs until it is cancelled; `answers` replaces the answers to an operation. */
const service = (more: Partial<Record<string, Answer>> = {}, after = 100): Script =>
  script(({ operation }) => more[operation] ?? says(running(operation), {}, after));

describe('what must not be submitted', () => {
  test('S5 a job whose signal was aborted before: nothing is sent, whichever view is the first', () => {
    const made = service();
    const job = made.endpoint.job({ input }, { signal: AbortSignal.abort('no') });
    const seen = made.see(job.state$);
    made.until(60_000);
    expect(made.sent).toEqual([]);
    expect(seen.error).toMatchObject({ name: 'AbortError', accepted: 'no', cause: 'no' });
  });

  test('S1 S4 a second job, after unsubscribing with detach and subscribing again: a 429 repeats the one submission', () => {
    const made = script(({ operation }, nth) =>
      operation === 'run' && nth === 1 ? { status: 429, after: 1_000 } : says('COMPLETED', { output: 1 }, 10),
    );
    const job = made.endpoint.job({ input }, { onUnsubscribe: 'detach' });
    const { subscription } = made.see(job.state$);
    made.until(200);
    subscription.unsubscribe();
    made.until(500);
    const seen = made.see(job.state$);
    made.until(100_000);
    expect(seen.error).toBeUndefined();
    expect(statuses(seen)).toEqual(['COMPLETED']);
    expect(tally(made).run).toBe(2);
  });
});

describe('what must be cancelled', () => {
  test('S4 a running job, by cancel(), while a cancel-if-queued is on its way', () => {
    const made = service({}, 1_000);
    const job = made.endpoint.job({ input }, { onUnsubscribe: 'cancel-if-queued' });
    const { subscription } = made.see(job.state$);
    made.until(10_000);
    subscription.unsubscribe();
    // The read whether the job is still queued is in flight.
    made.until(10_500);
    const report = made.see(job.cancel());
    made.until(60_000);
    expect(statuses(report)).toEqual(['CANCELLED']);
    expect(settled(made)).toMatchObject({ cancelled: ['job-1'] });
    expect(tally(made)).toMatchObject({ run: 1, cancel: 1 });
  });

  test('S5 a job whose only subscriber, id$, unsubscribes while its submission is on its way', () => {
    const made = service({}, 3_000);
    const { subscription } = made.see(made.endpoint.job({ input }).id$);
    made.until(1_000);
    subscription.unsubscribe();
    made.until(20_000);
    expect(made.sent.map(({ operation, at }) => [operation, at])).toEqual([
      ['run', 0],
      ['cancel', 3_000],
    ]);
  });

  test('S4 a job that is released in the turn in which a read failed, before the error was emitted', () => {
    const made = service({ status: { status: 401, after: 100 } });
    const seen = made.see(made.endpoint.job({ input }).output$);
    made.client.activity$.subscribe((one) => {
      if (one.type === 'reply' && one.operation === 'status')
        made.scheduler.schedule(() => {
          seen.subscription.unsubscribe();
        });
    });
    made.until(20_000);
    expect(seen.error).toBeUndefined();
    expect(tally(made)).toMatchObject({ run: 1, cancel: 1 });
  });
});

describe('what must not be cancelled', () => {
  test('S12 a running job that was attached to late, for the deadline of its queue', () => {
    const made = service();
    made.until(1_000_000);
    const ref: JobRef = { v: 1, endpointId: 'demo', id: 'job-1', submittedAt: 400_000 };
    const seen = made.see(made.endpoint.attach(ref, { timeout: { queue: 60_000 } }).state$);
    made.until(1_100_000);
    expect(statuses(seen)).toEqual(['IN_PROGRESS']);
    expect(seen.error).toBeUndefined();
    expect(tally(made).cancel).toBeUndefined();
  });

  test('S12 a job that a worker took between the last read and the deadline of its queue', () => {
    const made = script(({ operation }, nth) =>
      says(operation === 'cancel' ? 'CANCELLED' : nth < 3 ? 'IN_QUEUE' : 'IN_PROGRESS', {}, 10),
    );
    const seen = made.see(made.endpoint.job({ input }, { timeout: { queue: 60_000 }, ...seldom }).state$);
    made.until(70_000);
    expect(statuses(seen)).toEqual(['IN_QUEUE', 'IN_PROGRESS']);
    expect(tally(made).cancel).toBeUndefined();
  });

  test.each<[string, Partial<Record<keyof JobRef, unknown>>]>([
    ['that is text', { submittedAt: '2026-01-01T00:00:00Z' }],
    ['that is no number', { submittedAt: NaN }],
    ['without end', { submittedAt: -Infinity }],
  ])('S20 a job attached to by a reference with a time of submission %s', (_, wrong) => {
    const made = service();
    const ref = { v: 1, endpointId: 'demo', id: 'job-1', ...wrong } as JobRef;
    const seen = made.see(made.endpoint.attach(ref, { timeout: 3_600_000 }).state$);
    made.until(60_000);
    expect(seen.error).toMatchObject({
      code: 'validation',
      message: expect.stringContaining('ref.submittedAt') as string,
    });
    expect(made.sent).toEqual([]);
  });

  test('S12 a job whose options object had its limits changed later', () => {
    const made = service();
    const timeout: { total: number } & JobTimeout = { total: 600_000 };
    const seen = made.see(made.endpoint.job({ input }, { timeout }).state$);
    made.until(5_000);
    timeout.total = 1;
    made.until(60_000);
    expect(seen.error).toBeUndefined();
    expect(tally(made).cancel).toBeUndefined();
  });

  test('S14 a job that is over according to its stream, while its status lags', () => {
    const made = service({ stream: { body: { status: 'COMPLETED', stream: [] }, after: 100 } });
    const { subscription } = made.see(made.endpoint.job({ input }).chunks$);
    made.until(5_000);
    subscription.unsubscribe();
    made.until(100_000);
    expect(tally(made).cancel).toBeUndefined();
    expectSilence(made);
  });

  test('S7 a job that endpoint.watch finds to be over during its grace', () => {
    let over = false;
    const made = script(() => says(over ? 'COMPLETED' : 'IN_PROGRESS', {}, 100));
    const { subscription } = made.see(made.endpoint.job({ input }, { grace: 5_000 }).state$);
    made.until(3_000);
    const watched = made.see(made.endpoint.watch('job-1'));
    made.until(5_000);
    subscription.unsubscribe();
    over = true;
    made.until(30_000);
    expect(watched.ended).toBeLessThan(10_000);
    expect(tally(made).cancel).toBeUndefined();
  });
});

describe('what must not be cancelled twice, or for longer than needed', () => {
  test('S8 a job whose deadline passes while it is being cancelled', () => {
    const made = service({}, 1_000);
    const job = made.endpoint.job({ input }, { timeout: 10_000 });
    const view = made.see(job.state$);
    made.until(9_500);
    const report = made.see(job.cancel());
    made.until(60_000);
    expect(tally(made)).toMatchObject({ run: 1, cancel: 1 });
    expect([statuses(report), report.ended]).toEqual([['CANCELLED'], 10_500]);
    expect(view.ended).toBeLessThan(12_000);
  });

  test('S7 a job of two Job objects, one of which releases it: the other sees how it ended, and sends nothing', () => {
    let over = false;
    const made = script(({ operation }) => {
      over ||= operation === 'cancel';
      return says(over ? 'CANCELLED' : operation === 'run' ? 'IN_QUEUE' : 'IN_PROGRESS', {}, 100);
    });
    const { subscription } = made.see(made.endpoint.job({ input }).state$);
    made.until(1_000);
    const other = made.see(made.endpoint.attach('job-1', { onUnsubscribe: 'cancel' }).state$);
    made.until(5_000);
    subscription.unsubscribe();
    made.until(60_000);
    expect(statuses(other).at(-1)).toBe('CANCELLED');
    expect(tally(made)).toMatchObject({ run: 1, cancel: 1 });
  });

  test('S6 a released job that /status says is over: its cancel, which fails, is not repeated', () => {
    const made = script(({ operation }, nth) =>
      operation === 'cancel'
        ? { status: 500 }
        : says(operation === 'run' ? 'IN_QUEUE' : nth < 6 ? 'IN_PROGRESS' : 'COMPLETED', { output: 1 }, 100),
    );
    const job = made.endpoint.job({ input }, { every: 2_000 });
    const { subscription } = made.see(job.state$);
    made.until(3_000);
    subscription.unsubscribe();
    made.until(4_000);
    const seen = made.see(job.state$);
    made.until(700_000);
    expect(statuses(seen).at(-1)).toBe('COMPLETED');
    expect(when(made, 'cancel').length).toBeGreaterThan(0);
    expect(when(made, 'cancel').filter((at) => at > seen.ended!)).toEqual([]);
    expect(settled(made)).toMatchObject({ abandoned: [] });
  });

  test('S6 a job that ends while its cancel waits for its turn: it is read, and not cancelled', () => {
    let submitted = 0;
    const made = script(
      ({ operation, url }) => {
        const id = operation === 'run' ? `job-${++submitted}` : url.includes('job-2') ? 'job-2' : 'job-1';
        if (operation === 'cancel') return { body: { id, status: 'CANCELLED' }, after: 20_000 };
        const now = made.scheduler.now();
        // Only the stream tells of the end in time.
        if (operation === 'status' && now > 3_000 && now < 30_000) return { status: 503 };
        const status = id === 'job-2' && now >= 10_000 ? 'COMPLETED' : 'IN_PROGRESS';
        return { body: { id, status, stream: [] }, after: 100 };
      },
      { limits: { cancel: { concurrent: 1 } } },
    );
    const seen = [1, 2].map(() => made.see(made.endpoint.job({ input }).output$));
    made.until(3_000);
    for (const { subscription } of seen) subscription.unsubscribe();
    made.until(11_000);
    made.see(made.endpoint.stream('job-2'));
    made.until(100_000);
    expect(when(made, 'cancel')).toEqual([3_000]);
    expect(settled(made)).toEqual({ cancelled: ['job-1'], finished: ['job-2'], abandoned: [], lost: [] });
  });

  test('S7 a job whose cancel came too late: its end is read once', () => {
    const made = world({ latency: 5_000 });
    const { subscription } = made.see(made.endpoint.job({ input: { ms: 0 } }).output$);
    made.until(1_000);
    subscription.unsubscribe();
    made.until(600_000);
    expect(made.wire()).toEqual(['0-5000 run 200', '5000-10000 cancel 200', '10000-15000 status 200']);
  });
});

describe('what must be cancelled', () => {
  test('S26 S4 a job of which a notice says during its grace that it is over: anybody may say so', () => {
    const notices = new Subject<unknown>();
    const made = script(({ operation }) => says(running(operation), {}, 100), { notices });
    const { subscription } = made.see(made.endpoint.job({ input }, { grace: 5_000 }).state$);
    made.until(5_000);
    subscription.unsubscribe();
    made.until(6_000);
    notices.next({ id: 'job-1', status: 'COMPLETED', output: 1 });
    made.until(20_000);
    expect(tally(made).cancel).toBe(1);
    expectSilence(made);
  });
});
