import { expectTypeOf, describe, expect, test, vi } from 'vitest';
import type { Observable } from 'rxjs';
import type { Endpoint, WatchHealthOptions } from 'runpod-rx';
import { script, type Clock } from '../support/world.js';

const input = { x: 1 };
const DAY = 86_400_000;
const MAX_TIMER = 2 ** 31 - 1;
const queued = { body: { id: 'job-1', status: 'IN_QUEUE' } };
const overview = { body: { jobs: {}, workers: {} } };

describe.each([
  ['longer than a timer can run', 30 * DAY],
  ['not a number', NaN],
  ['negative', -1],
])('S2 S20 a timeout that is %s is refused', (_, timeout) => {
  const calls: Readonly<Record<string, (endpoint: Endpoint) => Observable<unknown>>> = {
    run: (endpoint) => endpoint.run({ input }, { timeout }),
    runSync: (endpoint) => endpoint.runSync({ input }, { timeout }),
    status: (endpoint) => endpoint.status('job-1', { timeout }),
    watch: (endpoint) => endpoint.watch('job-1', { timeout }),
    stream: (endpoint) => endpoint.stream('job-1', { timeout }),
    cancel: (endpoint) => endpoint.cancel('job-1', { timeout }),
    retry: (endpoint) => endpoint.retry('job-1', { timeout }),
    health: (endpoint) => endpoint.health({ timeout }),
    watchHealth: (endpoint) => endpoint.watchHealth({ timeout }),
    purgeQueue: (endpoint) => endpoint.purgeQueue({ timeout }),
    request: (endpoint) => endpoint.request('openai/v1/models', { timeout }),
  };

  test.each(Object.entries(calls))('%s', (__, call) => {
    const { endpoint, scheduler, sent, see } = script(() => ({ ...queued, after: 50 }));
    expect(see(call(endpoint)).error).toMatchObject({ code: 'validation', issues: [{ field: 'timeout' }] });
    expect(sent).toEqual([]);
    expect(scheduler.actions).toEqual([]);
  });
});

describe('S2 waits that are longer than a timer can run', () => {
  /** Watches the scheduler; the returned function gives the longest delay scheduled since. */
  const watchDelays = ({ scheduler }: Pick<Clock, 'scheduler'>) => {
    const schedule = vi.spyOn(scheduler, 'schedule');
    return () => Math.max(0, ...schedule.mock.calls.map(([, delay = 0]) => delay));
  };

  test('for budget, are split into several timers', () => {
    const made = script(() => queued, { limits: { run: { requests: 1, per: 30 * DAY } } });
    const { endpoint, scheduler, sent, see } = made;
    const longestDelay = watchDelays(made);
    see(endpoint.run({ input }));
    see(endpoint.run({ input }));
    const schedule = vi.mocked(scheduler.schedule);
    expect(schedule).toHaveBeenCalledTimes(1);
    scheduler.maxFrames = 40 * DAY;
    scheduler.flush();
    expect(sent.map(({ at }) => at)).toEqual([0, 30 * DAY + 1]);
    expect(longestDelay()).toBeLessThanOrEqual(MAX_TIMER);
    // A few long timers, and no short polling.
    expect(schedule.mock.calls.length).toBeLessThan(5);
  });

  test('after a 429, last as long as Retry-After says', () => {
    const made = script(
      (_, nth) => (nth === 1 ? { status: 429, headers: { 'retry-after': String((35 * DAY) / 1_000) } } : queued),
      { retry: { maxRetryAfter: Infinity } },
    );
    const { endpoint, scheduler, sent, see } = made;
    const longestDelay = watchDelays(made);
    const seen = see(endpoint.status('job-1'));
    scheduler.maxFrames = 40 * DAY;
    scheduler.flush();
    expect(sent.map(({ at }) => at)).toEqual([0, 35 * DAY]);
    expect(seen.values).toHaveLength(1);
    expect(longestDelay()).toBeLessThanOrEqual(MAX_TIMER);
  });

  test('after a 429 of an operation without limits, last as long as a timer can run', () => {
    const made = script(
      (_, nth) => (nth === 1 ? { status: 429, headers: { 'retry-after': String((35 * DAY) / 1_000) } } : overview),
      { retry: { maxRetryAfter: Infinity } },
    );
    const { endpoint, scheduler, sent, see } = made;
    const longestDelay = watchDelays(made);
    see(endpoint.health());
    scheduler.maxFrames = 40 * DAY;
    scheduler.flush();
    expect(sent).toHaveLength(2);
    expect(sent[1]!.at).toBeGreaterThanOrEqual(MAX_TIMER);
    expect(longestDelay()).toBeLessThanOrEqual(MAX_TIMER);
  });
});

test('S2 S23 a 429 that asks for a year holds up the other calls of its operation for a minute', () => {
  const { endpoint, sent, see, until } = script((_, nth) =>
    nth === 1 ? { status: 429, headers: { 'retry-after': '31536000' } } : queued,
  );
  const refused = see(endpoint.run({ input }));
  expect(refused.error).toMatchObject({ code: 'rate_limit', accepted: 'no' });
  see(endpoint.run({ input }));
  until(120_000);
  expect(sent.map(({ at }) => at)).toEqual([0, 60_000]);
});

test.each([NaN, undefined, -1, -Infinity])('S11 a poll policy that returns %s polls once a second', (pause) => {
  const { endpoint, sent, see, until } = script(() => queued);
  see(endpoint.watch('job-1', { poll: () => pause as never }));
  until(3_500);
  expect(sent.map(({ at }) => at)).toEqual([0, 1_000, 2_000, 3_000]);
});

describe('S7 watchHealth', () => {
  test('shares its reads with watchers that pass the default values explicitly', () => {
    const { endpoint, sent, see, until } = script(() => ({ ...overview, after: 10 }));
    see(endpoint.watchHealth());
    see(endpoint.watchHealth({ every: 5_000 }));
    see(endpoint.watchHealth({ outage: 300_000 }));
    see(endpoint.watchHealth({ every: 5_000, outage: 300_000 }));
    until(14_000);
    expect(sent.map(({ at }) => at)).toEqual([0, 5_010, 10_020]);
  });

  test('takes no headers and no context, because its requests are shared', () => {
    expectTypeOf<WatchHealthOptions>().not.toHaveProperty('headers');
    expectTypeOf<WatchHealthOptions>().not.toHaveProperty('context');
    expectTypeOf<WatchHealthOptions>().toHaveProperty('signal');
  });
});
