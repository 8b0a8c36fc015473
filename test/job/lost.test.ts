import { take } from 'rxjs';
import { describe, expect, test } from 'vitest';
import type { LostActivity, LostSubmission } from 'runpod-rx';
import { script, type Answer, type Script } from '../support/world.js';

const input = { prompt: 'x' };

/** A service that takes submissions and whose answers are lost after a second. */
const losing = (lost: Answer = { status: 502, after: 1_000 }): Script =>
  script(({ operation }) => (operation === 'cancel' ? { body: { id: 'job-1', status: 'CANCELLED' } } : lost));

const lostOf = (made: Script): readonly LostSubmission[] | undefined => made.see(made.client.settled()).values[0]?.lost;

describe('S6 a submission whose answer is lost after its subscribers left', () => {
  test('of run, runSync, runToEnd and request is in the report, and among the activities', () => {
    const made = losing();
    const { endpoint } = made;
    made.until(500);
    made.see(endpoint.run({ input })).subscription.unsubscribe();
    made.see(endpoint.runSync({ input })).subscription.unsubscribe();
    made.see(endpoint.runToEnd({ input })).subscription.unsubscribe();
    made.see(endpoint.request('openai/v1/responses', { body: {} })).subscription.unsubscribe();
    const settled = made.see(made.client.settled());
    made.until(10_000);
    const known = { endpointId: 'demo', submittedAt: 500 };
    expect(settled.values).toMatchObject([
      {
        cancelled: [],
        lost: [
          { ...known, operation: 'run' },
          { ...known, operation: 'runsync' },
          { ...known, operation: 'run' },
          { ...known, operation: 'openai/v1/responses' },
        ],
      },
    ]);
    for (const { reason } of settled.values[0]!.lost) expect(reason).toContain('502');
    const told = made.activity.filter((one): one is LostActivity => one.type === 'lost');
    expect(told).toMatchObject(Array.from({ length: 4 }, () => ({ endpointId: 'demo', submittedAt: 500, at: 1_500 })));
  });

  test('of a Job has its tag, and when it was sent', () => {
    const made = losing();
    const { subscription } = made.see(made.endpoint.job({ input }, { tag: 'mine' }).output$);
    made.until(500);
    subscription.unsubscribe();
    const settled = made.see(made.client.settled());
    made.until(10_000);
    expect(settled.values).toMatchObject([
      { abandoned: [], lost: [{ endpointId: 'demo', operation: 'run', submittedAt: 0, tag: 'mine' }] },
    ]);
    expect(made.activity.filter(({ type }) => type === 'lost')).toMatchObject([{ tag: 'mine', operation: 'run' }]);
  });

  test.each(['cancel', 'cancel-if-queued', 'detach'] as const)('of a Job with onUnsubscribe: %s', (onUnsubscribe) => {
    const made = losing();
    const { subscription } = made.see(made.endpoint.job({ input }, { onUnsubscribe }).output$);
    made.until(500);
    subscription.unsubscribe();
    made.until(10_000);
    expect(lostOf(made)).toHaveLength(1);
  });

  test('of a Job that is closed, cancelled without a view, or past its deadline', () => {
    const made = losing();
    const closed = made.see(made.endpoint.job({ input }, { tag: 'closed' }).output$);
    const late = made.see(made.endpoint.job({ input }, { tag: 'late', timeout: 200 }).output$);
    const cancelled = made.endpoint.job({ input }, { tag: 'cancelled' });
    const view = made.see(cancelled.output$);
    made.until(500);
    cancelled.cancel();
    view.subscription.unsubscribe();
    const report = made.see(made.client.close());
    made.until(10_000);
    expect(closed.error).toBeDefined();
    expect(late.error).toMatchObject({ code: 'job_deadline' });
    const tags = report.values[0]!.lost.map(({ tag }) => tag);
    expect(tags).toHaveLength(3);
    expect(tags).toEqual(expect.arrayContaining(['closed', 'late', 'cancelled']));
  });

  test.each<[string, object]>([
    ['its timeout', { timeout: 500 }],
    ['its signal', { signal: AbortSignal.abort() }],
  ])('of a run that was ended by %s after it was sent', (_, options) => {
    const made = losing();
    made.see(made.endpoint.run({ input }, options));
    const sent = made.sent.length;
    made.until(10_000);
    expect(lostOf(made)).toHaveLength(sent);
  });

  test('of a retry has its id, and the job is cancelled as well', () => {
    const made = losing();
    made.see(made.endpoint.retry('job-1')).subscription.unsubscribe();
    const settled = made.see(made.client.settled());
    made.until(10_000);
    expect(settled.values).toMatchObject([
      { cancelled: [{ id: 'job-1' }], lost: [{ operation: 'retry', id: 'job-1', submittedAt: 0 }] },
    ]);
  });

  test('of a Job whose last view leaves after the loss, and before it is told of it', () => {
    const made = losing();
    const { subscription } = made.see(made.endpoint.job({ input }).output$);
    // Comes after the answer of the same moment, and before the error, which comes a turn later.
    made.at(1_000, () => {
      subscription.unsubscribe();
    });
    made.until(10_000);
    expect(lostOf(made)).toHaveLength(1);
  });

  test('of a Job whose view leaves as it is submitted, over a transport that fails at once', () => {
    const made = losing({ status: 502 });
    const seen = made.see(made.endpoint.job({ input }).events$.pipe(take(1)));
    made.until(10_000);
    expect(seen.values).toMatchObject([{ type: 'submitting' }]);
    expect(made.sent).toHaveLength(1);
    expect(lostOf(made)).toHaveLength(1);
  });

  test('is in one report only', () => {
    const made = losing();
    made.see(made.endpoint.run({ input })).subscription.unsubscribe();
    made.until(10_000);
    expect([lostOf(made)?.length, lostOf(made)?.length]).toEqual([1, 0]);
  });
});

describe('S6 a submission is not reported as lost', () => {
  test('where one of several views of a Job was told of it', () => {
    const made = losing();
    const one = made.endpoint.job({ input });
    const [early, late] = [made.see(one.output$), made.see(one.state$)];
    made.at(1_000, () => {
      early.subscription.unsubscribe();
    });
    made.until(10_000);
    expect(early.error).toBeUndefined();
    expect(late.error).toMatchObject({ code: 'submission_unknown' });
    expect(lostOf(made)).toEqual([]);
  });

  test('where a subscriber was told of it', () => {
    const made = losing();
    const seen = made.see(made.endpoint.run({ input }));
    const view = made.see(made.endpoint.job({ input }).output$);
    made.until(10_000);
    for (const { error } of [seen, view]) expect(error).toMatchObject({ code: 'submission_unknown' });
    expect(lostOf(made)).toEqual([]);
    expect(made.activity.filter(({ type }) => type === 'lost')).toEqual([]);
  });

  test.each<[string, Answer]>([
    ['refused', { status: 400, after: 1_000 }],
    ['answered with a job', { body: { id: 'job-1', status: 'COMPLETED' }, after: 1_000 }],
  ])('where it was %s', (_, answer) => {
    const made = losing(answer);
    made.see(made.endpoint.run({ input })).subscription.unsubscribe();
    const { subscription } = made.see(made.endpoint.job({ input }).output$);
    made.until(500);
    subscription.unsubscribe();
    made.until(10_000);
    expect(lostOf(made)).toEqual([]);
  });

  test('where it was never sent', () => {
    const made = script(() => ({ status: 502, after: 1_000 }), { limits: { run: { requests: 1, per: 10_000 } } });
    made.see(made.endpoint.run({ input }));
    made.see(made.endpoint.run({ input })).subscription.unsubscribe();
    const { subscription } = made.see(made.endpoint.job({ input }).output$);
    made.until(500);
    subscription.unsubscribe();
    made.until(100_000);
    expect(lostOf(made)).toEqual([]);
  });
});
