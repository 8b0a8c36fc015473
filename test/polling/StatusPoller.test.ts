import type { Observable } from 'rxjs';
import { EMPTY, Subscription, catchError, map, mergeMap, range, tap } from 'rxjs';
import { describe, expect, test } from 'vitest';
import type { JobSnapshot } from 'runpod-rx';
import type { World } from '../support/world.js';
import { script, world, type Seen } from '../support/world.js';

/** Submits so many jobs, one after the other, and watches them from the answer on. */
function fleet(made: World, count: number, ms: (nth: number) => number): { ids: string[]; seen: Seen<JobSnapshot>[] } {
  const ids: string[] = [];
  const seen: Seen<JobSnapshot>[] = [];
  range(0, count)
    .pipe(
      mergeMap((nth) => made.endpoint.run({ input: { ms: ms(nth) } }).pipe(map(({ id }) => ({ id, nth }))), 1),
      tap(({ id, nth }) => {
        ids[nth] = id;
        seen[nth] = made.see(made.endpoint.watch(id));
      }),
    )
    .subscribe();
  return { ids, seen };
}

const reads = ({ emulator }: World, id?: string) =>
  emulator.requests().filter((one) => one.operation === 'status' && (id === undefined || one.path.endsWith(id)));

describe('the status poller of an endpoint', () => {
  test('reads the jobs behind a queued job once, then only in a slow round', () => {
    const made = world({ endpoints: { demo: { handler: () => 1, workers: 0 } } });
    const { ids } = fleet(made, 100, () => 0);
    made.until(60_000);
    const [oldest, ...others] = ids.map((id) => reads(made, id).length);
    // The oldest as if it were alone: half a second, then a tenth of its age, up to five seconds.
    expect(oldest).toBeGreaterThan(20);
    expect(Math.max(...others)).toBeLessThanOrEqual(3);
    // Each in turn, after the first look: at most one for each look at the oldest.
    expect(others.reduce((sum, count) => sum + count, 0) - others.length).toBeLessThanOrEqual(oldest!);
    expect(others.filter((count) => count > 1).length).toBeGreaterThan(10);
  });

  test('finds a job that is cancelled elsewhere behind a queued job', () => {
    const made = world({ endpoints: { demo: { handler: () => 1, workers: 0 } } });
    const { ids, seen } = fleet(made, 5, () => 0);
    made.until(1_000);
    const { transport } = made.emulator;
    transport({
      method: 'POST',
      url: `https://x/v2/demo/cancel/${ids[3]!}`,
      headers: {},
      timeout: 1e4,
      operation: 'cancel',
    }).subscribe();
    made.until(60_000);
    expect(seen[3]!.values.at(-1)).toMatchObject({ status: 'CANCELLED' });
    // It says nothing of those before it.
    expect(seen[2]!.values).toHaveLength(1);
  });

  test('reads the jobs ahead of a running job at once, so that their watchers see them run', () => {
    const made = world({ endpoints: { demo: { ...demoOf(), workers: 10 } } });
    const { seen } = fleet(made, 10, () => 60_000);
    made.until(3_000);
    for (const { values, at } of seen) {
      expect(values.at(-1)).toMatchObject({ status: 'IN_PROGRESS' });
      expect(at.at(-1)).toBeLessThan(1_500);
    }
  });

  test('follows every job to its end, whatever the order in which jobs end', () => {
    const made = world({ endpoints: { demo: { ...demoOf(), workers: 7 } }, latency: 40 });
    const { seen } = fleet(made, 200, (nth) => 500 + ((nth * 7919) % 9_000));
    made.until(600_000);
    for (const { values, ended } of seen) {
      expect(values.at(-1)).toMatchObject({ status: 'COMPLETED' });
      expect(ended).toBeDefined();
    }
    expect(made.scheduler.actions).toEqual([]);
  });

  test('S23 reads jobs in turn where more are due than the limits allow', () => {
    const made = world(
      { endpoints: { demo: { ...demoOf(), workers: 100 } } },
      { limits: { status: { requests: 10, per: 1_000 } } },
    );
    const { ids } = fleet(made, 50, () => 3_600_000);
    made.until(60_000);
    const counts = ids.map((id) => reads(made, id).length);
    // 10 a second, within a millisecond of what is allowed.
    expect(reads(made).length).toBeGreaterThan(590);
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(2);
    const waits = made.activity.filter(({ type, operation }) => type === 'wait' && operation === 'status');
    expect(waits).toEqual([]);
  });

  test('S23 lets other calls go before reads that can wait', () => {
    const made = world(
      { endpoints: { demo: { ...demoOf(), workers: 100 } } },
      { limits: { status: { requests: 5, per: 1_000 } } },
    );
    const { ids } = fleet(made, 50, () => 3_600_000);
    made.until(20_000);
    const asked = made.see(made.endpoint.status('unknown').pipe(catchError(() => EMPTY)));
    made.until(30_000);
    expect(asked.ended).toBeLessThanOrEqual(21_002);
    expect(ids).toHaveLength(50);
  });

  test('S13 keeps one timer for all watchers, and none after the last one unsubscribes', () => {
    const { endpoint, see, until, scheduler } = script(() => ({ body: { id: 'job', status: 'IN_PROGRESS' } }));
    const all = Array.from({ length: 1_000 }, (_, nth) => see(endpoint.watch(`job-${nth}`)));
    until(10);
    expect(scheduler.actions).toHaveLength(1);
    for (const { subscription } of all) subscription.unsubscribe();
    expect(scheduler.actions).toEqual([]);
  });

  test('S13 keeps no timer after the last watcher that waits for the limits unsubscribes', () => {
    const { endpoint, see, until, scheduler, sent } = script(() => ({ body: { id: 'job', status: 'IN_PROGRESS' } }), {
      limits: { status: { requests: 3, per: 5_000 } },
    });
    const all = Array.from({ length: 10 }, (_, nth) => see(endpoint.watch(`job-${nth}`)));
    until(10);
    expect(sent).toHaveLength(3);
    expect(scheduler.actions.length).toBeGreaterThan(0);
    for (const { subscription } of all) subscription.unsubscribe();
    expect(scheduler.actions).toEqual([]);
  });

  test('a failed read of one job does not disturb the other jobs', () => {
    const { endpoint, see, until, sent } = script(({ url }, nth) =>
      url.endsWith('bad') && nth > 3 ? { status: 401 } : { body: { id: 'job', status: 'IN_PROGRESS' } },
    );
    const bad = see(endpoint.watch('bad'));
    const good = see(endpoint.watch('good'));
    until(10_000);
    expect(bad.error).toMatchObject({ status: 401 });
    expect(good.error).toBeUndefined();
    expect(sent.filter(({ url }) => url.endsWith('good')).length).toBeGreaterThan(5);
  });

  test('S13 does not read for a watcher that unsubscribes while a failure is handed out', () => {
    const { endpoint, until, sent, scheduler } = script((_, nth) =>
      nth > 1 ? { status: 503, after: 50 } : { body: { id: 'job', status: 'IN_PROGRESS' }, after: 50 },
    );
    const second = new Subscription();
    endpoint.watch('job', { outage: 0 }).subscribe({
      error: () => {
        second.unsubscribe();
      },
    });
    second.add(endpoint.watch('job').subscribe());
    until(10_000);
    expect(second.closed).toBe(true);
    expect(scheduler.actions).toEqual([]);
    const count = sent.length;
    until(60_000);
    expect(sent).toHaveLength(count);
  });

  test('S13 does not read for a watcher that got the end while watchers are refreshed', () => {
    const { endpoint, see, until, sent, at } = script(({ operation }, nth) => ({
      body: { id: 'job', status: nth > 2 || operation === 'cancel' ? 'CANCELLED' : 'IN_PROGRESS' },
    }));
    const watchers = [see(endpoint.watch('job')), see(endpoint.watch('job'))];
    until(0);
    const before = sent.length;
    at(100, () => {
      endpoint.cancel('job').subscribe();
    });
    until(10_000);
    for (const { values } of watchers) expect(values.at(-1)).toMatchObject({ status: 'CANCELLED' });
    expect(sent.slice(before).map(({ operation }) => operation)).toEqual(['cancel', 'status']);
  });

  test('S2 counts an outage from the last answer', () => {
    const broken = (at: number) => at % 30_000 > 20_000;
    const { endpoint, see, until, scheduler } = script(() =>
      broken(scheduler.now()) ? { status: 503, after: 50 } : { body: { id: 'job', status: 'IN_PROGRESS' }, after: 50 },
    );
    // Three times ten seconds are more than 25, and each of them, with the pauses, is not.
    const seen = see(endpoint.watch('job', { outage: 25_000 }));
    until(100_000);
    expect(seen.error).toBeUndefined();
    seen.subscription.unsubscribe();
  });

  test('S2 does not read again before the time of a Retry-After', () => {
    const { endpoint, see, until, sent } = script((_, nth) =>
      nth > 1 ? { status: 503, headers: { 'retry-after': '40' } } : { body: { id: 'job', status: 'IN_PROGRESS' } },
    );
    const seen = see(endpoint.watch('job'));
    until(250_000);
    const gaps = sent.slice(1).flatMap(({ at }, nth) => (nth ? [at - sent[nth]!.at] : []));
    expect(gaps.length).toBeGreaterThan(4);
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(40_000);
    seen.subscription.unsubscribe();
  });

  test('S2 reads again after a minute at most, whatever a Retry-After asks for', () => {
    const { endpoint, see, until, sent } = script((_, nth) =>
      nth === 2
        ? { status: 503, headers: { 'retry-after': '31536000' } }
        : { body: { id: 'job', status: 'IN_PROGRESS' } },
    );
    const seen = see(endpoint.watch('job'));
    until(120_000);
    expect(sent[2]!.at - sent[1]!.at).toBe(60_000);
    seen.subscription.unsubscribe();
  });

  test('S11 reads a job at its own pace, also behind a queued job', () => {
    const made = world({ endpoints: { demo: { handler: () => 1, workers: 0 } } });
    const { ids } = fleet(made, 3, () => 0);
    made.until(1_000);
    const own = made.see(made.endpoint.watch(ids[2]!, { every: 1_000 }));
    made.until(31_000);
    expect(reads(made, ids[1]).length).toBeLessThan(5);
    expect(reads(made, ids[2]).length).toBeGreaterThanOrEqual(30);
    own.subscription.unsubscribe();
  });

  test('does not read a job at once that was submitted just now', () => {
    const made = world({ endpoints: { demo: { ...demoOf(), workers: 1 } } });
    made.see(made.endpoint.runToEnd({ input: { ms: 10_000 } }));
    made.until(450);
    expect(reads(made)).toEqual([]);
    made.until(900);
    expect(reads(made)).toHaveLength(1);
  });

  test('aborts the read in flight when the job is cancelled, and reads anew', () => {
    const { endpoint, see, until, sent, at } = script(({ operation }) => ({
      body: { id: 'job', status: 'IN_PROGRESS' },
      after: operation === 'status' ? 2_000 : 0,
    }));
    const seen = see(endpoint.watch('job'));
    until(0);
    at(100, () => {
      endpoint.cancel('job').subscribe();
      endpoint.cancel('job').subscribe();
    });
    until(1_500);
    const status = sent.filter(({ operation }) => operation === 'status');
    expect(status.map(({ aborted }) => aborted !== undefined)).toEqual([true, true, false]);
    seen.subscription.unsubscribe();
  });
});

function demoOf() {
  return {
    handler: ({ input }: { input: Record<string, unknown> }, { delay }: { delay(ms: number): Observable<unknown> }) =>
      delay(Number(input.ms)).pipe(map(() => 1)),
  };
}
