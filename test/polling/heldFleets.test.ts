import { describe, expect, test } from 'vitest';
import { runAll, type Limits } from 'runpod-rx';
import { demo, script, statuses, world } from '../support/world.js';
import { timers } from '../job/support.js';

const idOf = (url: string) => /[^/?]+(?=$|\?)/.exec(new URL(url).pathname)![0];

describe('many jobs', () => {
  /** Runs so many jobs at once on as many workers; returns how late each was noticed, and the longest pause of reads. */
  const run = (count: number, ms: (nth: number) => number, limits?: Limits | false) => {
    const workers = { min: count, max: count };
    const made = world(
      { latency: 20, endpoints: { demo: { ...demo, workers, executionTimeout: 86_400_000 } } },
      limits === undefined ? {} : { limits },
    );
    const inputs = Array.from({ length: 3 * count }, (_, nth) => ({ input: { ms: ms(nth) } }));
    const seen = made.see(runAll(made.endpoint, inputs, { concurrency: count, scheduler: made.scheduler }));
    made.until(3_600_000);
    expect(seen.values.filter(({ ok }) => ok)).toHaveLength(3 * count);
    const ends = new Map(made.emulator.jobs().map(({ id, endedAt }) => [id, endedAt!]));
    const late = seen.values.map(({ snapshot }, nth) => seen.at[nth]! - ends.get(snapshot!.id)!);
    const requests = made.emulator.requests();
    const pauses = [...ends.keys()].map((id) => {
      const reads = requests.filter(({ path, operation }) => operation?.startsWith('status') && path.includes(id));
      return Math.max(0, ...reads.slice(1).map(({ at }, nth) => at - reads[nth]!.endedAt!));
    });
    expect(requests.filter(({ status }) => status === 429)).toEqual([]);
    return { late, pauses };
  };

  test('without limits: each has a read held, and is noticed at once', () => {
    const { late } = run(200, (nth) => 20_000 + ((nth * 7_919) % 20_000), false);
    expect(late.filter((one) => one > 20).length).toBeLessThan(20);
    expect(Math.max(...late)).toBeLessThanOrEqual(5_000);
  });

  test.each([1, 3])('S11 with %d held at a time: none is unread for longer than 30 s', (concurrent) => {
    const { late, pauses } = run(20, (nth) => (nth % 2 ? 100_000 : 15_000 + nth * 100), {
      'status-sync': { concurrent },
    });
    expect(Math.max(...pauses)).toBeLessThanOrEqual(30_000);
    expect(Math.max(...late)).toBeLessThanOrEqual(30_000);
  });
});

describe('a job whose start was inferred, wrongly', () => {
  test('is read by a held read, whose answer says that it is queued, and is followed to its end', () => {
    // Job 2 runs before job 1, which starts at 40 s and is over at 100 s.
    let jobs = 0;
    const made = script(({ operation, url }) => {
      if (operation === 'run') return { body: { id: `job-${++jobs}`, status: 'IN_QUEUE' } };
      const id = idOf(url);
      const after = operation === 'status-sync' ? 25_000 : 0;
      const now = made.scheduler.now() + after;
      const first = now < 40_000 ? 'IN_QUEUE' : now < 100_000 ? 'IN_PROGRESS' : 'COMPLETED';
      const second = now < 1_000 ? 'IN_QUEUE' : 'IN_PROGRESS';
      return { body: { id, status: id === 'job-1' ? first : second }, after };
    });
    const [one] = [1, 2].map((x) => made.see(made.endpoint.runToEnd({ input: { x } })));
    made.until(200_000);
    expect(statuses(one!)).toEqual(['IN_QUEUE', 'IN_PROGRESS', 'COMPLETED']);
    expect(one!.ended).toBeLessThanOrEqual(125_000);
    const reads = made.sent.filter(({ url }) => url.includes('/job-1'));
    expect(reads.some(({ operation, at }) => operation === 'status-sync' && at < 40_000)).toBe(true);
    const pauses = reads
      .slice(1)
      .map(({ at }, nth) => at - reads[nth]!.at - (reads[nth]!.operation === 'status' ? 0 : 25_000));
    expect(Math.max(...pauses)).toBeLessThanOrEqual(30_000);
  });
});

describe('a transport that answers synchronously', () => {
  test('has jobs read by held reads, plainly where those do not hold, and never in a loop', () => {
    for (const status of ['IN_PROGRESS', 'IN_QUEUE']) {
      const made = script(({ url, operation }) => ({
        body: { id: operation === 'run' ? `job-${made.sent.length}` : idOf(url), status },
      }));
      const seen = Array.from({ length: 20 }, (_, x) => made.see(made.endpoint.runToEnd({ input: { x } })));
      made.until(60_000);
      expect(made.sent.length).toBeLessThan(2_000);
      for (const { subscription } of seen) subscription.unsubscribe();
    }
  });

  test('has the end of a job told, and nothing goes on', () => {
    const made = script(({ url, operation }) => ({
      body: {
        id: operation === 'run' ? `job-${made.sent.length}` : idOf(url),
        status: operation === 'status-sync' ? 'COMPLETED' : 'IN_PROGRESS',
      },
    }));
    const seen = Array.from({ length: 20 }, (_, x) => made.see(made.endpoint.runToEnd({ input: { x } })));
    made.until(60_000);
    for (const one of seen) expect(statuses(one).at(-1)).toBe('COMPLETED');
    expect(timers(made)).toBe(0);
  });
});
