import { describe, expect, test } from 'vitest';
import { script, statuses, type Sent } from '../support/world.js';
import { timers } from './support.js';

/** A service whose job runs for ever, and which holds answers for 25 s. */
const service = (runsAfter = 0) => {
  const made = script(
    ({ operation }) => {
      const status = made.scheduler.now() < runsAfter ? 'IN_QUEUE' : 'IN_PROGRESS';
      return {
        body: { id: 'job-1', status: operation === 'cancel' ? 'CANCELLED' : status },
        after: operation === 'status-sync' ? 25_000 : operation === 'stream' ? 10_000 : 0,
      };
    },
    { limits: false },
  );
  return made;
};

const request = { input: { x: 1 } };
const reads = (sent: readonly Sent[]) => sent.filter(({ operation }) => operation.startsWith('status'));
const entries = (sent: readonly Sent[]) => reads(sent).map(({ at, operation, aborted }) => [at, operation, aborted]);

/** A job whose output is awaited by a held read, and whose states are watched as well from 10 s on; now it is 30 s. */
const joined = () => {
  const made = service();
  const job = made.endpoint.job(request);
  made.see(job.output$);
  made.until(10_000);
  const state = made.see(job.state$);
  made.until(30_000);
  return { ...made, state };
};

describe('a job of which only output$ is subscribed to, while a read of it is held,', () => {
  test('is read plainly at once for a view of its states, and then at the pace of the policy', () => {
    const { state, sent } = joined();
    expect(entries(sent).slice(0, 3)).toEqual([
      [0, 'status', undefined],
      [0, 'status-sync', 10_000],
      [10_000, 'status', undefined],
    ]);
    expect(statuses(state)).toEqual(['IN_PROGRESS']);
    const times = reads(sent)
      .slice(2)
      .map(({ at }) => at);
    expect(reads(sent).filter(({ operation }) => operation === 'status-sync')).toHaveLength(1);
    // A tenth of the job's age.
    expect(times.slice(1, 3)).toEqual([11_000, 12_100]);
  });

  test('is read by held reads again, once that view has left', () => {
    const { state, sent, until } = joined();
    state.subscription.unsubscribe();
    until(100_000);
    const later = reads(sent).filter(({ at }) => at >= 30_000);
    // The read that was planned, and then none that is not held.
    expect(later.map(({ operation }) => operation)).toEqual(['status', 'status-sync', 'status-sync', 'status-sync']);
  });

  test.each(['events$', 'progress$', 'chunks$'] as const)('is read plainly at once for %s too', (view) => {
    const { endpoint, see, until, sent } = service();
    const job = endpoint.job(request);
    see(job.output$);
    until(10_000);
    see<unknown>(job[view]);
    until(10_001);
    expect(entries(sent).at(-1)).toEqual([10_000, 'status', undefined]);
  });

  test('is held on for another view of its end, and for its id', () => {
    const { endpoint, see, until, sent } = service();
    const job = endpoint.job(request);
    see(job.output$);
    until(10_000);
    see<unknown>(job.output$);
    see(job.id$);
    until(20_000);
    expect(entries(sent)).toEqual([
      [0, 'status', undefined],
      [0, 'status-sync', undefined],
    ]);
  });

  test('S7 is read plainly while another Job object looks at its states, and held again after that', () => {
    const { endpoint, see, until, sent, scheduler } = service();
    const first = see(endpoint.job(request).output$);
    until(10_000);
    const second = see(endpoint.attach('job-1').state$);
    until(30_000);
    expect(entries(sent)[1]).toEqual([0, 'status-sync', 10_000]);
    const between = reads(sent).filter(({ at }) => at > 11_000);
    expect(between.length).toBeGreaterThan(5);
    expect(between.every(({ operation }) => operation === 'status')).toBe(true);
    second.subscription.unsubscribe();
    until(60_000);
    expect(reads(sent).at(-1)!.operation).toBe('status-sync');
    first.subscription.unsubscribe();
    until(100_000);
    expect(timers({ scheduler })).toBe(0);
  });
});

describe('the diagnosis of a job', () => {
  test('has no read held while the job is queued, and all once the job runs', () => {
    const { endpoint, see, until, sent } = service(20_000);
    const diagnosis = see(endpoint.attach('job-1').diagnosis$);
    until(19_000);
    expect(reads(sent).length).toBeGreaterThan(5);
    expect(reads(sent).every(({ operation }) => operation === 'status')).toBe(true);
    until(120_000);
    const running = reads(sent).filter(({ at }) => at >= 30_000);
    expect(running.length).toBeLessThanOrEqual(5);
    expect(running.every(({ operation }) => operation === 'status-sync')).toBe(true);
    expect(diagnosis.values.at(-1)).toEqual({ reason: 'running' });
  });
});
