import { NEVER, tap } from 'rxjs';
import { describe, expect, test } from 'vitest';
import type { JobRef, JobSnapshot, SettleReport } from 'runpod-rx';
import { script, statuses, world, type Answer, type Script, type Seen } from '../support/world.js';
import { expectSilence, nothing, settled } from './support.js';
import { tally, when } from './support/acting.js';
import { running, says } from './support/says.js';

const input = { ms: 20_000 };
const CANCELLED = [{ cancelled: [{ id: 'job-1' }], finished: [], abandoned: [], lost: [] }];

/** A job that runs until it is cancelled; `answers` gives the delay of an operation's answers, or their script. */
const service = (after: number | Partial<Record<string, number>>, more: Partial<Record<string, Answer>> = {}): Script =>
  script(
    ({ operation }) =>
      more[operation] ?? says(running(operation), {}, typeof after === 'number' ? after : (after[operation] ?? 0)),
    { limits: { run: { concurrent: 1 } } },
  );

/** A job that is over when it is first read, while its stream goes on. */
const overButStreaming = (): Script => {
  const read = says('COMPLETED', { output: 1 }, 100);
  return service(100, { status: read, stream: 'never' });
};

describe('S6 settled()', () => {
  test('called in the turn of the unsubscribing: waits for the cancel', () => {
    const made = world();
    const { subscription } = made.see(made.endpoint.job({ input }).state$);
    made.until(5_000);
    subscription.unsubscribe();
    const seen = made.see(made.client.settled());
    expect(seen.values).toEqual([]);
    made.until(60_000);
    expect(seen.values).toMatchObject([{ cancelled: [{ id: made.emulator.jobs()[0]!.id }] }]);
  });

  test('S5 waits for an abandoned submission, and after its answer for the cancel', () => {
    const made = service({ run: 5_000, cancel: 1_000 });
    const { subscription } = made.see(made.endpoint.job({ input }).state$);
    made.until(1_000);
    subscription.unsubscribe();
    made.until(2_000);
    const seen = made.see(made.client.settled());
    made.until(60_000);
    expect(seen).toMatchObject({ values: CANCELLED, ended: 6_000 });
  });

  test('S1 ends where the answer to an abandoned submission is lost, as there is nothing to cancel', () => {
    const made = world({ faults: [{ fault: 'no-answer', on: 'run' }] });
    const { subscription } = made.see(made.endpoint.job({ input }).output$);
    made.until(1_000);
    subscription.unsubscribe();
    const seen = made.see(made.client.settled());
    made.until(1_000_000);
    expect(seen.values).toMatchObject([
      { ...nothing, lost: [{ endpointId: 'demo', operation: 'run', submittedAt: 0 }] },
    ]);
    // The time limit of a submission.
    expect(seen.ended).toBe(120_000);
  });

  test('S1 cancel() while the submission is on its way, and its answer is lost: report and views have the error', () => {
    const made = service(0, { run: { status: 502, after: 3_000 } });
    const job = made.endpoint.job({ input });
    const view = made.see(job.state$);
    made.until(1_000);
    const [report, all] = [made.see(job.cancel()), made.see(made.client.settled())];
    made.until(60_000);
    for (const { error } of [view, report]) expect(error).toMatchObject({ code: 'submission_unknown' });
    expect(all).toMatchObject({ values: [nothing], ended: 3_000 });
    expect(tally(made)).toEqual({ run: 1 });
  });
});

describe('S6 close()', () => {
  test('S5 with a submission on its way: waits for it, and for its cancel', () => {
    const made = service({ run: 5_000, cancel: 1_000 });
    const view = made.see(made.endpoint.job({ input }).state$);
    made.until(1_000);
    const closed = made.see(made.client.close());
    made.until(60_000);
    expect(view.error).toMatchObject({ code: 'client_closed' });
    expect(closed).toMatchObject({ values: CANCELLED, ended: 6_000 });
  });

  test('stops an attached job that is subscribed to again', () => {
    const made = service(100);
    const job = made.endpoint.attach('job-1');
    const { subscription } = made.see(job.state$);
    made.until(1_000);
    subscription.unsubscribe();
    made.until(2_000);
    const seen = made.see(job.state$);
    made.until(3_000);
    made.see(made.client.close());
    made.until(3_001);
    expect(seen.error).toMatchObject({ code: 'client_closed' });
  });

  test('ends chunks$ of a job that is over already', () => {
    const made = overButStreaming();
    const seen = made.see(made.endpoint.job({ input }).chunks$);
    made.until(5_000);
    const closed = made.see(made.client.close());
    made.until(5_001);
    expect(seen.error).toMatchObject({ code: 'client_closed' });
    expect(closed.values).toEqual([nothing]);
    expect(tally(made).cancel).toBeUndefined();
  });

  test('S4 after an error of reading, without subscribers: the job is cancelled', () => {
    const made = service(0, { status: { status: 403 } });
    const seen = made.see(made.endpoint.job({ input }).state$);
    made.until(5_000);
    expect(seen.error).toMatchObject({ code: 'authentication' });
    expect(tally(made).cancel).toBeUndefined();
    const closed = made.see(made.client.close());
    made.until(10_000);
    expect(closed.values).toMatchObject(CANCELLED);
  });

  test('S8 while a job past a deadline is read one last time: waits for the outcome, also of an attached job', () => {
    const made = service(1_000);
    made.see(made.endpoint.attach('job-1', { timeout: 10_000, every: 100_000 }).state$);
    made.until(10_500);
    const closed = made.see(made.client.close());
    made.until(100_000);
    expect(closed).toMatchObject({ values: CANCELLED, ended: 12_000 });
    expect(when(made, 'cancel')).toEqual([11_000]);
    expectSilence(made);
  });

  test('closed$ emits at the call, before the views error; activity$ completes when the cancels are settled', () => {
    const made = service({ cancel: 3_000 });
    const order: string[] = [];
    const view = made.endpoint.job({ input }).state$;
    made.see(view.pipe(tap({ error: () => order.push('view') })));
    made.client.activity$.subscribe({ complete: () => order.push('activity$') });
    const closed = made.see(made.client.closed$.pipe(tap(() => order.push('closed$'))));
    made.until(1_000);
    expect(closed.ended).toBeUndefined();
    made.see(made.client.close());
    expect(order).toEqual(['closed$']);
    made.until(100_000);
    expect(order).toEqual(['closed$', 'view', 'activity$']);
    expect(closed).toMatchObject({ values: [undefined], ended: 1_000 });
    expect(made.see(made.client.closed$)).toMatchObject({ values: [undefined], ended: 100_000 });
  });

  test('closed$ of an isolated client is its own', () => {
    const made = service(0);
    const [own, other] = [made.client, made.client.isolated()].map((client) => made.see(client.closed$));
    made.see(made.client.close());
    expect([own!.values, other!.values]).toEqual([[undefined], []]);
  });

  test('does not wait for a beforeSubmit that never ends', () => {
    const made = service(100);
    const view = made.see(made.endpoint.job({ input }, { beforeSubmit: () => NEVER }).state$);
    made.until(1_000);
    const closed = made.see(made.client.close());
    made.until(2_000);
    expect(closed).toMatchObject({ values: [nothing], ended: 1_000 });
    expect(view.error).toMatchObject({ code: 'client_closed' });
    expect(made.sent).toEqual([]);
  });
});

describe('detach()', () => {
  /** Detaches a job one second after it was first subscribed to, and closes the client one second later. */
  function letGo(made: Script, before?: () => void): { ref: Seen<JobRef>; closed: Seen<SettleReport> } {
    before?.();
    const job = made.endpoint.job({ input });
    made.see(job.state$);
    made.until(1_000);
    const ref = made.see(job.detach());
    made.until(2_000);
    const closed = made.see(made.client.close());
    made.until(100_000);
    return { ref, closed };
  }

  test('S5 S6 while the submission waits for budget, then close(): it is not sent, and there is no reference', () => {
    const made = service(3_000);
    const { ref } = letGo(made, () => made.see(made.endpoint.run({ input })));
    expect(when(made, 'run')).toEqual([0]);
    expect(ref.values).toEqual([]);
    expect(ref.error).toBeDefined();
  });

  test('S5 S6 while the submission is on its way, then close(): its answer is waited for, and there is a reference', () => {
    const made = service(3_000);
    const { ref, closed } = letGo(made);
    expect(ref.values).toMatchObject([{ id: 'job-1' }]);
    expect(closed.ended).toBe(3_000);
    expect(tally(made)).toEqual({ run: 1 });
  });

  test('S5 while the submission waits for budget: a later subscriber that unsubscribes does not withdraw it', () => {
    const made = service(3_000);
    made.see(made.endpoint.run({ input }));
    const job = made.endpoint.job({ input });
    made.see(job.state$);
    made.until(1_000);
    const ref = made.see(job.detach());
    made.until(1_500);
    const { subscription } = made.see(job.state$);
    made.until(1_600);
    subscription.unsubscribe();
    made.until(100_000);
    expect(ref.error).toBeUndefined();
    expect(ref.values).toMatchObject([{ id: 'job-1' }]);
    expect(tally(made)).toEqual({ run: 2 });
  });

  test('S6 after cancel(): the report completes with the answer', () => {
    const made = service(1_000);
    const job = made.endpoint.job({ input });
    made.see(job.state$);
    made.until(5_000);
    const report = made.see(job.cancel());
    job.detach();
    made.until(100_000);
    expect([statuses(report), report.ended]).toEqual([['CANCELLED'], 6_000]);
    expectSilence(made);
  });
});

describe('its signal', () => {
  test('stops an attached job that is subscribed to again', () => {
    const made = service(100);
    const controller = new AbortController();
    const job = made.endpoint.attach('job-1', { signal: controller.signal });
    const { subscription } = made.see(job.state$);
    made.until(1_000);
    subscription.unsubscribe();
    made.until(2_000);
    const seen = made.see(job.state$);
    made.until(3_000);
    controller.abort();
    made.until(3_001);
    expect(seen.error).toMatchObject({ name: 'AbortError', jobId: 'job-1' });
    expect(tally(made).cancel).toBeUndefined();
  });

  test('ends chunks$ of a job that is over already, and a later subscriber goes on', () => {
    const made = overButStreaming();
    const controller = new AbortController();
    const job = made.endpoint.job({ input }, { signal: controller.signal });
    const seen = made.see(job.chunks$);
    made.until(5_000);
    controller.abort();
    made.until(5_001);
    expect(seen.error).toMatchObject({ name: 'AbortError' });
    const reads = when(made, 'stream').length;
    const late = made.see(job.chunks$);
    made.until(6_000);
    expect(late.error).toBeUndefined();
    expect(when(made, 'stream')).toHaveLength(reads + 1);
    expect(tally(made).cancel).toBeUndefined();
  });

  test('S5 aborted while only id$ waits for the submission: id$ errors, and the job is cancelled', () => {
    const made = service(3_000);
    const controller = new AbortController();
    const seen = made.see(made.endpoint.job({ input }, { signal: controller.signal }).id$);
    made.until(1_000);
    controller.abort();
    made.until(20_000);
    expect(seen.error).toMatchObject({ name: 'AbortError', accepted: 'unknown' });
    expect(made.sent.map(({ operation }) => operation)).toEqual(['run', 'cancel']);
  });

  test.each(['ended', 'was left before it was sent', 'was left'])('has no listener left after the job %s', (end) => {
    const made = service(100, end === 'ended' ? { status: says('COMPLETED', { output: 1 }, 100) } : {});
    if (end === 'was left before it was sent') made.see(made.endpoint.run({ input }));
    const { signal } = new AbortController();
    let [added, removed] = [0, 0];
    const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)];
    signal.addEventListener = (...given: Parameters<typeof add>) => {
      added++;
      add(...given);
    };
    signal.removeEventListener = (...given: Parameters<typeof remove>) => {
      removed++;
      remove(...given);
    };
    const { subscription } = made.see(made.endpoint.job({ input }, { signal }).state$);
    made.until(50);
    if (end !== 'ended') subscription.unsubscribe();
    made.until(10_000);
    expect(added).toBeGreaterThan(0);
    expect(removed).toBe(added);
  });
});

describe('S6 cancel()', () => {
  test('while the stream says that the job is over, and all views unsubscribe: the report completes', () => {
    const made = service({ cancel: 3_000 }, { stream: { body: { status: 'CANCELLED', stream: [] }, after: 5_500 } });
    const job = made.endpoint.job({ input }, { every: 100_000 });
    const { subscription } = made.see(job.chunks$);
    made.until(5_000);
    const report: Seen<JobSnapshot> = made.see(job.cancel());
    made.until(5_800);
    subscription.unsubscribe();
    made.until(1_000_000);
    expect(report.ended).toBeLessThanOrEqual(8_000);
    expect(settled(made)).toBeDefined();
    expectSilence(made);
  });

  test('a view that is subscribed to while the cancel is on its way gets the job’s end as soon as the cancel is answered', () => {
    const made = service(1_000);
    const job = made.endpoint.job({ input }, { every: 300 });
    const { subscription } = made.see(job.state$);
    made.until(5_000);
    subscription.unsubscribe();
    made.until(5_500);
    const seen = made.see(job.state$);
    made.until(100_000);
    expect(statuses(seen).at(-1)).toBe('CANCELLED');
    expect(seen.ended).toBe(6_000);
  });

  test('S18 the answer to an earlier read does not open the job again', () => {
    const made = service({ status: 1_000, cancel: 10 });
    const job = made.endpoint.job({ input });
    const seen = made.see(job.state$);
    made.until(5_000);
    job.cancel();
    made.until(30_000);
    expect(statuses(seen)).toEqual(['IN_QUEUE', 'IN_PROGRESS', 'CANCELLED']);
    const late = made.see(job.state$);
    made.until(31_000);
    expect(statuses(late)).toEqual(['CANCELLED']);
  });
});
