import { map } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { runAll } from 'runpod-rx';
import type { EmulatedEndpoint } from 'runpod-rx/testing';
import { script, world } from '../support/world.js';

/** Workers whose jobs take as long as the function says, by the number of the job. */
const fleet = (workers: number, ms: (nth: number) => number): EmulatedEndpoint => ({
  handler: ({ input }, { delay }) => delay(ms(Number(input.nth))).pipe(map(() => 'done')),
  workers: { min: workers, max: workers },
  executionTimeout: 86_400_000,
});

/** Runs numbered jobs; returns when each item came, how long after the job's end, and when the last one came. */
function run(endpoint: EmulatedEndpoint, count: number, concurrency: number) {
  const made = world({ endpoints: { demo: endpoint } });
  const inputs = Array.from({ length: count }, (_, nth) => ({ input: { nth } }));
  const seen = made.see(runAll(made.endpoint, inputs, { concurrency, scheduler: made.scheduler }));
  made.until(20 * 3_600_000);
  const endedAt = new Map(made.emulator.jobs().map(({ id, endedAt: at = NaN }) => [id, at]));
  const late = seen.values.map(({ snapshot }, nth) => seen.at[nth]! - endedAt.get(snapshot!.id)!);
  const failed = seen.values.filter(({ ok }) => !ok).length;
  const reads = made.emulator.requests().filter(({ operation }) => operation === 'status').length;
  return { late, failed, reads, ended: seen.ended };
}

describe('S11 execution times that were learned do not hide a job that is unlike them', () => {
  test.each([8, 200])('%i jobs of an hour, then jobs of ten seconds: each is told within 30 s of its end', (long) => {
    const { late, failed } = run(
      fleet(long, (nth) => (nth < long ? 3_600_000 : 10_000)),
      long + 3,
      long,
    );
    expect(late).toHaveLength(long + 3);
    expect(failed).toBe(0);
    expect(Math.max(...late)).toBeLessThanOrEqual(30_000);
  });

  test.each([
    ['8 at a time', 8],
    ['all at once', 100],
  ])('8 workers whose first job takes 600 s and the others 5 s: 100 jobs, %s, take about 660 s', (_, concurrency) => {
    const { ended, failed } = run(
      fleet(8, (nth) => (nth < 8 ? 600_000 : 5_000)),
      100,
      concurrency,
    );
    expect(failed).toBe(0);
    expect(ended).toBeGreaterThan(657_000);
    expect(ended).toBeLessThan(672_000);
  });

  test('a few jobs that take much longer than the others cost the others nothing', () => {
    const { late } = run(
      fleet(20, (nth) => (nth % 10 ? 4_000 : 900_000)),
      100,
      20,
    );
    expect(Math.max(...late)).toBeLessThanOrEqual(30_000);
    const mean = late.reduce((sum, one) => sum + one, 0) / late.length;
    expect(mean).toBeLessThan(3_000);
  });
});

describe('S11 numbers of the service do not decide when a running job is read', () => {
  const wrong = ['1e999', '1e300', '-1e999', '-5', '3600000', '0', '"3600000"', 'null'];

  test.each(wrong)('executionTime and delayTime of %s', (number) => {
    const text = (id: string, status: string) =>
      `{"id":"${id}","status":"${status}","delayTime":${number},"executionTime":${number},"output":1}`;
    let submitted = 0;
    const reads: Record<string, number[]> = {};
    const made = script(({ operation, url }) => {
      if (operation === 'run') return { body: `{"id":"job-${submitted++}","status":"IN_QUEUE"}` };
      const id = url.split('/').at(-1)!;
      (reads[id] ??= []).push(made.scheduler.now());
      // The first twenty are over at the second read. The last one goes on.
      const over = Number(id.slice(4)) < 20 && reads[id].length > 1;
      return { body: text(id, over ? 'COMPLETED' : 'IN_PROGRESS') };
    });
    for (let nth = 0; nth < 20; nth++) made.see(made.endpoint.runToEnd({ input: { nth } }));
    made.until(200_000);
    made.see(made.endpoint.runToEnd({ input: { nth: 20 } }));
    made.until(800_000);
    const times = [200_000, ...reads['job-20']!, 800_000];
    const gaps = times.slice(1).map((time, nth) => time - times[nth]!);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(30_000);
  });

  test('a job that expired before it was read has all execution times forgotten', () => {
    let submitted = 0;
    const reads: number[] = [];
    const made = script(({ operation, url }) => {
      if (operation === 'run') return { body: { id: `job-${submitted++}`, status: 'IN_QUEUE' } };
      const nth = Number(url.split('-').at(-1));
      const now = made.scheduler.now();
      if (nth < 12 && now >= 160_000) return { body: { id: `job-${nth}`, status: 'COMPLETED', executionTime: 60_000 } };
      if (nth === 12 && now >= 180_000) return { status: 404, body: { error: 'job not found' } };
      if (nth === 13) reads.push(now);
      return { body: { id: `job-${nth}`, status: 'IN_PROGRESS' } };
    });
    made.until(100_000);
    for (let nth = 0; nth < 13; nth++) made.see(made.endpoint.runToEnd({ input: { nth } }));
    made.until(220_000);
    made.see(made.endpoint.runToEnd({ input: { nth: 13 } }));
    made.until(230_000);
    // At the pace of a job of which nothing is known.
    expect(reads.length).toBeGreaterThan(8);
  });

  test('an execution time that is longer than its job is old counts for that age: the next job is read at its pace', () => {
    let submitted = 0;
    const reads: Record<string, number[]> = {};
    const made = script(({ operation, url }) => {
      if (operation === 'run') return { body: { id: `job-${submitted++}`, status: 'IN_QUEUE' } };
      const id = url.split('/').at(-1)!;
      (reads[id] ??= []).push(made.scheduler.now());
      const over = id !== 'job-20' && reads[id].length > 1;
      return { body: { id, status: over ? 'COMPLETED' : 'IN_PROGRESS', executionTime: 3_600_000 } };
    });
    for (let nth = 0; nth < 20; nth++) made.see(made.endpoint.runToEnd({ input: { nth } }));
    made.until(100_000);
    made.see(made.endpoint.runToEnd({ input: { nth: 20 } }));
    made.until(200_000);
    const times = reads['job-20']!;
    const gaps = times.slice(1).map((time, nth) => time - times[nth]!);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(5_000);
  });

  test('the caller’s own pace is kept, whatever was learned', () => {
    const made = world({ endpoints: { demo: fleet(10, (nth) => (nth < 20 ? 1_000 : 200_000)) } });
    for (let nth = 0; nth < 20; nth++) made.see(made.endpoint.runToEnd({ input: { nth } }));
    made.until(30_000);
    const before = made.emulator.requests().length;
    made.see(made.endpoint.runToEnd({ input: { nth: 20 } }, { every: 45_000 }));
    made.until(30_000 + 180_000);
    expect(made.emulator.requests().length - before).toBe(1 + 4);
  });
});
