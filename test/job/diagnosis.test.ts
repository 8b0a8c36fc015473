import { describe, expect, test } from 'vitest';
import type { Diagnosis } from 'runpod-rx';
import { script, world, type Seen } from '../support/world.js';
import { acting, another, tally, when, type Act } from './support/acting.js';

const input = { ms: 20_000 };
const reasons = (seen: Seen<Diagnosis>) => seen.values.map(({ reason }) => reason);
const counts = (workers: object) => ({ jobs: { inQueue: 3 }, workers: { idle: 0, running: 0, ...workers } });

describe('why a job waits', () => {
  test('cold-start, running, ended: emitted as the endpoint goes through them', () => {
    const made = world({ endpoints: { demo: { ...acting, coldStart: 12_000 } } });
    const job = made.endpoint.job({ input });
    made.see(job.output$);
    const seen = made.see(job.diagnosis$);
    made.until(100_000);
    // Read at the moment of the submission, before the worker that it starts is counted.
    expect(seen.values.filter((_, n) => seen.at[n]! > 0)).toEqual([
      { reason: 'cold-start', initializing: 1 },
      { reason: 'running' },
      { reason: 'ended', status: 'COMPLETED' },
    ]);
    expect(seen.error).toBeUndefined();
    expect(seen.ended).toBeLessThan(40_000);
  });

  test('queued-behind: the only worker runs another job', () => {
    const made = world({ endpoints: { demo: { ...acting, workers: 1 } } });
    made.see(made.endpoint.run({ input: { ms: 30_000 } }));
    const job = made.endpoint.job({ input });
    made.see(job.output$);
    const seen = made.see(job.diagnosis$);
    made.until(10_000);
    expect(seen.values.at(-1)).toEqual({ reason: 'queued-behind', queued: 1, running: 1 });
    made.until(100_000);
    expect(reasons(seen).slice(-2)).toEqual(['running', 'ended']);
  });

  test('is not queued-behind where the only worker that is counted has just taken this job', () => {
    // The health is read when the worker takes the job, and the job later.
    const made = world({ endpoints: { demo: { ...acting, coldStart: 10_000 } } });
    const job = made.endpoint.job({ input });
    made.see(job.output$);
    const seen = made.see(job.diagnosis$);
    made.until(100_000);
    expect(reasons(seen)).not.toContain('queued-behind');
    expect(reasons(seen).slice(-2)).toEqual(['running', 'ended']);
  });

  test('no-workers: there are none, and none is starting', () => {
    const made = world({ endpoints: { demo: { ...acting, workers: 0 } } });
    const job = made.endpoint.job({ input });
    made.see(job.output$);
    const seen = made.see(job.diagnosis$);
    made.until(10_000);
    expect(seen.values.at(-1)).toEqual({ reason: 'no-workers' });
  });

  test.each<[string, object, Diagnosis]>([
    ['idle', { idle: 2 }, { reason: 'starting', free: 2 }],
    ['throttled', { throttled: 2, unhealthy: 0, initializing: 0 }, { reason: 'throttled', throttled: 2 }],
    ['unhealthy', { unhealthy: 1, initializing: 0, throttled: 0 }, { reason: 'unhealthy', unhealthy: 1 }],
    ['of kinds that are not told', {}, { reason: 'unknown' }],
  ])('workers that are %s', (_, workers, diagnosis) => {
    const made = world({
      endpoints: { demo: { ...acting, workers: 0 } },
      faults: [{ fault: 'answer', on: 'health', status: 200, body: counts(workers) }],
    });
    const job = made.endpoint.job({ input });
    made.see(job.output$);
    const seen = made.see(job.diagnosis$);
    made.until(10_000);
    expect(seen.values.at(-1)).toEqual(diagnosis);
  });

  test('ended, with the status, for a job that failed: that is no error here', () => {
    const made = world({ endpoints: { demo: acting } });
    const job = made.endpoint.job({ input: { ms: 2_000, fails: 'no' } satisfies Act });
    made.see(job.state$);
    const seen = made.see(job.diagnosis$);
    made.until(50_000);
    expect(seen.values.at(-1)).toEqual({ reason: 'ended', status: 'FAILED' });
    expect(seen.error).toBeUndefined();
  });

  test('the same diagnosis is not emitted twice', () => {
    const made = world({ endpoints: { demo: { ...acting, workers: 0 } } });
    const job = made.endpoint.job({ input });
    made.see(job.state$);
    const seen = made.see(job.diagnosis$);
    made.until(100_000);
    expect(reasons(seen)).toEqual(['unknown', 'no-workers'].slice(-seen.values.length));
    expect(when(made, 'health').length).toBeGreaterThan(10);
  });
});

describe('expiring', () => {
  const last = (policy: object, ms: number, hooked = false) => {
    const made = world({ endpoints: { demo: { ...acting, workers: 0 } } });
    const job = hooked
      ? made.endpoint.job({ input }, { beforeSubmit: (request) => [{ ...request, policy }] })
      : made.endpoint.job({ input, policy });
    made.see(job.state$);
    const seen = made.see(job.diagnosis$);
    made.until(ms);
    return seen.values.at(-1);
  };

  test('in the last tenth of its ttl', () => {
    expect(last({ ttl: 100_000 }, 89_000)).toEqual({ reason: 'no-workers' });
    expect(last({ ttl: 100_000 }, 96_000)).toMatchObject({ reason: 'expiring' });
  });

  test('by the ttl that beforeSubmit gave', () => {
    expect(last({ ttl: 100_000 }, 89_000, true)).toEqual({ reason: 'no-workers' });
    expect(last({ ttl: 100_000 }, 96_000, true)).toMatchObject({ reason: 'expiring' });
  });

  test('by the default ttl of one day', () => {
    const day = 86_400_000;
    const made = world({ endpoints: { demo: { ...acting, workers: 0 } } });
    const job = made.endpoint.job({ input }, { every: 1e6 });
    made.see(job.state$);
    made.until(day - 310_000);
    const seen = made.see(job.diagnosis$);
    made.until(day - 301_000);
    expect(reasons(seen).at(-1)).toBe('no-workers');
    made.until(day - 290_000);
    expect(seen.values.at(-1)).toMatchObject({ reason: 'expiring' });
    const { left } = seen.values.at(-1) as { left: number };
    expect(left).toBeGreaterThan(285_000);
    expect(left).toBeLessThan(300_001);
  });

  test('an attached job, by its reference', () => {
    const made = world({ endpoints: { demo: { ...acting, workers: 0 } } });
    const { id } = made.see(made.endpoint.run({ input })).values[0]!;
    made.until(1_000);
    const submittedAt = 1_000 - (86_400_000 - 200_000);
    const job = another(made).endpoint('demo').attach({ v: 1, endpointId: 'demo', id, submittedAt });
    const seen = made.see(job.diagnosis$);
    made.until(10_000);
    expect(seen.values.at(-1)).toMatchObject({ reason: 'expiring' });
    const { left } = seen.values.at(-1) as { left: number };
    expect(left).toBeGreaterThan(190_000);
    expect(left).toBeLessThan(200_001);
  });
});

describe('diagnosis$', () => {
  test('neither starts the job nor reads anything before it has an id', () => {
    const made = world();
    const job = made.endpoint.job({ input });
    const seen = made.see(job.diagnosis$);
    made.until(50_000);
    expect(tally(made)).toEqual({});
    made.see(job.output$);
    made.until(200_000);
    expect(seen.values.at(-1)).toEqual({ reason: 'ended', status: 'COMPLETED' });
    expect(seen.ended).toBeGreaterThan(70_000 - 1);
    expect(tally(made).run).toBe(1);
  });

  test('does not own the job: the job is released when the last owning view unsubscribes, and unsubscribing from diagnosis$ cancels nothing', () => {
    const made = world();
    const job = made.endpoint.job({ input });
    const [state, diagnosis] = [made.see(job.state$), made.see(job.diagnosis$)];
    made.until(3_000);
    diagnosis.subscription.unsubscribe();
    made.until(5_000);
    expect(tally(made).cancel).toBeUndefined();
    const again = made.see(job.diagnosis$);
    made.until(6_000);
    state.subscription.unsubscribe();
    made.until(50_000);
    expect(made.emulator.jobs()).toMatchObject([{ status: 'CANCELLED', cancelRequests: 1 }]);
    expect(again.values.at(-1)).toEqual({ reason: 'ended', status: 'CANCELLED' });
    expect(tally(made).run).toBe(1);
  });

  test('costs the job no read of its own while another view reads it', () => {
    const cost = (diagnose: boolean) => {
      const made = world({ latency: 100 });
      const job = made.endpoint.job({ input });
      made.see(job.output$);
      if (diagnose) made.see(job.diagnosis$);
      made.until(100_000);
      return tally(made);
    };
    const { health, ...rest } = cost(true);
    expect(rest).toEqual(cost(false));
    expect(health).toBeGreaterThan(1);
  });

  test('reads the health once for all jobs, and only while there are subscribers', () => {
    const made = world({ endpoints: { demo: { ...acting, workers: 0 } } });
    const jobs = [1, 2, 3, 4, 5].map(() => made.endpoint.job({ input }));
    for (const job of jobs) made.see(job.state$);
    made.until(1_000);
    expect(tally(made).health).toBeUndefined();
    const seen = jobs.map((job) => made.see(job.diagnosis$));
    made.until(11_500);
    expect(when(made, 'health')).toEqual([1_000, 6_000, 11_000]);
    for (const one of seen) expect(one.values.at(-1)).toEqual({ reason: 'no-workers' });
    for (const { subscription } of seen.slice(1)) subscription.unsubscribe();
    made.until(16_500);
    expect(when(made, 'health')).toHaveLength(4);
    seen[0]!.subscription.unsubscribe();
    made.until(100_000);
    expect(when(made, 'health')).toHaveLength(4);
    expect(tally(made).cancel).toBeUndefined();
  });

  test('reads nothing any more once the job is over', () => {
    const made = world();
    const job = made.endpoint.job({ input: { ms: 3_000 } });
    made.see(job.state$);
    const seen = made.see(job.diagnosis$);
    made.until(10_000);
    expect(seen.ended).toBeLessThan(4_001);
    const before = tally(made);
    made.until(1_000_000);
    expect(tally(made)).toEqual(before);
  });

  test('of a job that is over: emits ended at once, and the job is not submitted again', () => {
    const made = world();
    const job = made.endpoint.job({ input: { ms: 1_000 } });
    made.see(job.output$);
    made.until(10_000);
    const before = tally(made);
    const seen = made.see(job.diagnosis$);
    made.until(20_000);
    expect(seen.values).toEqual([{ reason: 'ended', status: 'COMPLETED' }]);
    expect(seen.ended).toBeLessThan(10_001);
    expect(tally(made).run).toBe(1);
    expect(tally(made).status! - before.status!).toBeLessThan(2);
  });

  test('of a job that was never taken: errors asynchronously', () => {
    const made = script(() => ({ status: 400 }));
    const job = made.endpoint.job({ input });
    const output = made.see(job.output$);
    const early = made.see(job.diagnosis$);
    made.until(10_000);
    const late = made.see(job.diagnosis$);
    expect(late.error).toBeUndefined();
    made.until(20_000);
    expect(output.error).toMatchObject({ code: 'http' });
    for (const { error } of [early, late]) expect(error).toBe(output.error);
    expect(tally(made)).toEqual({ run: 1 });
  });

  test('S7 the views have the first answer, where it comes at once and later reads find nothing', () => {
    let reads = 0;
    const made = script(({ operation }) => {
      if (operation === 'run') return { body: { id: 'job-1', status: 'IN_QUEUE' } };
      if (operation === 'health') return { body: counts({}) };
      reads++;
      return reads === 1 ? { body: { id: 'job-1', status: 'COMPLETED', output: 7 } } : { status: 404 };
    });
    const job = made.endpoint.job({ input });
    made.see(job.diagnosis$);
    const output = made.see(job.output$);
    made.until(60_000);
    expect(output.values).toEqual([7]);
  });
});
