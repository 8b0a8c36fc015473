import { NEVER } from 'rxjs';
import { describe, expect, test } from 'vitest';
import type { JobRef, JobSnapshot, SettleReport } from 'runpod-rx';
import { script, statuses, world, type Answer, type Script, type Seen } from '../support/world.js';
import { expectSilence, nothing, settled } from './support.js';
import { tally, when } from './support/acting.js';
import { running, says } from './support/says.js';

const input = { ms: 20_000 };
const CANCELLED = [{ cancelled: [{ id: 'job-1' }], finished: [], abandoned: [] }];

/** A job that runs until it is cancelled; the answers to an operation take as long as is said, or what the script says. */
const service = (after: number | Partial<Record<string, number>>, more: Partial<Record<string, Answer>> = {}): Script =>
  script(
    ({ operation }) =>
      more[operation] ?? says(running(operation), {}, typeof after === 'number' ? after : (after[operation] ?? 0)),
    { limits: { run: { concurrent: 1 } } },
  );

/** A job that is over when it is first read, and whose stream is not. */
const overButStreaming = (): Script => {
  const read = says('COMPLETED', { output: 1 }, 100);
  return service(100, { status: read, stream: 'never' });
};

describe('S6 settled()', () => {
  test('in the turn of leaving: waits for the cancel', () => {
    const made = world();
    const { subscription } = made.see(made.endpoint.job({ input }).state$);
    made.until(5_000);
    subscription.unsubscribe();
    const seen = made.see(made.client.settled());
    expect(seen.values).toEqual([]);
    made.until(60_000);
    expect(seen.values).toMatchObject([{ cancelled: [{ id: made.emulator.jobs()[0]!.id }] }]);
  });

  test('S5 waits for a submission that was left on its way, and from its answer on for its cancel', () => {
    const made = service({ run: 5_000, cancel: 1_000 });
    const { subscription } = made.see(made.endpoint.job({ input }).state$);
    made.until(1_000);
    subscription.unsubscribe();
    made.until(2_000);
    const seen = made.see(made.client.settled());
    made.until(60_000);
    expect(seen).toMatchObject({ values: CANCELLED, ended: 6_000 });
  });

  test('S1 ends where a submission that was left is lost, as there is nothing to cancel', () => {
    const made = world({ faults: [{ fault: 'no-answer', on: 'run' }] });
    const { subscription } = made.see(made.endpoint.job({ input }).output$);
    made.until(1_000);
    subscription.unsubscribe();
    const seen = made.see(made.client.settled());
    made.until(1_000_000);
    expect(seen.values).toEqual([nothing]);
    // A submission is waited for so long.
    expect(seen.ended).toBe(120_000);
  });

  test('S1 cancel() while the submission is on its way, and its answer is lost: report and views say so', () => {
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
    expect(view.error).toMatchObject({ code: 'configuration' });
    expect(closed).toMatchObject({ values: CANCELLED, ended: 6_000 });
  });

  test('is heard by an attached job that was left, and is looked at again', () => {
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
    expect(seen.error).toMatchObject({ code: 'configuration' });
  });

  test('is heard by chunks$ of a job that is over already', () => {
    const made = overButStreaming();
    const seen = made.see(made.endpoint.job({ input }).chunks$);
    made.until(5_000);
    const closed = made.see(made.client.close());
    made.until(5_001);
    expect(seen.error).toMatchObject({ code: 'configuration' });
    expect(closed.values).toEqual([nothing]);
    expect(tally(made).cancel).toBeUndefined();
  });

  test('S4 after an error of reading, when nobody looks: the job is cancelled', () => {
    const made = service(0, { status: { status: 403 } });
    const seen = made.see(made.endpoint.job({ input }).state$);
    made.until(5_000);
    expect(seen.error).toMatchObject({ code: 'authentication' });
    expect(tally(made).cancel).toBeUndefined();
    const closed = made.see(made.client.close());
    made.until(10_000);
    expect(closed.values).toMatchObject(CANCELLED);
  });

  test('S8 while a deadline asks for the last word: waits for what comes of it, also of an attached job', () => {
    const made = service(1_000);
    made.see(made.endpoint.attach('job-1', { timeout: 10_000, every: 100_000 }).state$);
    made.until(10_500);
    const closed = made.see(made.client.close());
    made.until(100_000);
    expect(closed).toMatchObject({ values: CANCELLED, ended: 12_000 });
    expect(when(made, 'cancel')).toEqual([11_000]);
    expectSilence(made);
  });

  test('is not held by a beforeSubmit that goes on for ever', () => {
    const made = service(100);
    const view = made.see(made.endpoint.job({ input }, { beforeSubmit: () => NEVER }).state$);
    made.until(1_000);
    const closed = made.see(made.client.close());
    made.until(2_000);
    expect(closed).toMatchObject({ values: [nothing], ended: 1_000 });
    expect(view.error).toMatchObject({ code: 'configuration' });
    expect(made.sent).toEqual([]);
  });
});

describe('detach()', () => {
  /** Lets go of a job one second after it was first looked at, and closes the client one second later. */
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

  test('S5 S6 while it waits for budget, then close(): it is not sent, and there is no reference', () => {
    const made = service(3_000);
    const { ref } = letGo(made, () => made.see(made.endpoint.run({ input })));
    expect(when(made, 'run')).toEqual([0]);
    expect(ref.values).toEqual([]);
    expect(ref.error).toBeDefined();
  });

  test('S5 S6 with the submission on its way, then close(): it is waited for, so that there is a reference', () => {
    const made = service(3_000);
    const { ref, closed } = letGo(made);
    expect(ref.values).toMatchObject([{ id: 'job-1' }]);
    expect(closed.ended).toBe(3_000);
    expect(tally(made)).toEqual({ run: 1 });
  });

  test('S5 while it waits for budget: who looks then, and leaves, does not withdraw it', () => {
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

  test('S6 after cancel(): the report ends with the answer', () => {
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
  test('is heard by an attached job that was left, and is looked at again', () => {
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

  test('is heard by chunks$ of a job that is over already, and who comes later goes on', () => {
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

  test('S5 aborted while only id$ waits for the submission: it says so, and the job is cancelled', () => {
    const made = service(3_000);
    const controller = new AbortController();
    const seen = made.see(made.endpoint.job({ input }, { signal: controller.signal }).id$);
    made.until(1_000);
    controller.abort();
    made.until(20_000);
    expect(seen.error).toMatchObject({ name: 'AbortError', accepted: 'unknown' });
    expect(made.sent.map(({ operation }) => operation)).toEqual(['run', 'cancel']);
  });

  test.each(['ended', 'was left before it was sent', 'was left'])('is let go of by a job that %s', (end) => {
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
  test('while the stream says that it is over, and all leave: the report ends', () => {
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

  test('who looks again while the cancel is on its way sees how it ended, as soon as it is answered', () => {
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

  test('S18 what a read that began before says of the job does not open it again', () => {
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
