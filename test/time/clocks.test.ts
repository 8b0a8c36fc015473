import { TestScheduler } from 'rxjs/testing';
import { VirtualTimeScheduler, asyncScheduler, map, timer } from 'rxjs';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createRunpod } from 'runpod-rx';
import { createEmulator } from 'runpod-rx/testing';
import { datedScheduler, durationScheduler, timeOfDate, wallClockOf } from '../../src/time/clocks.js';
import { monotonicScheduler } from '../../src/time/monotonicScheduler.js';

const HOUR = 3_600_000;
const virtual = new VirtualTimeScheduler();

describe('S9 the scheduler of durations', () => {
  test('has a clock that is never set in place of that of asyncScheduler, and is any other scheduler itself', () => {
    expect(durationScheduler()).toBe(monotonicScheduler);
    expect(durationScheduler(asyncScheduler)).toBe(monotonicScheduler);
    expect(durationScheduler(virtual)).toBe(virtual);
  });

  test('is not changed when the wall clock is set', () => {
    const real = Date.now;
    const before = monotonicScheduler.now();
    const dated = datedScheduler();
    const datedBefore = dated.now();
    const clock = vi.spyOn(Date, 'now');
    for (const by of [-HOUR, HOUR]) {
      clock.mockImplementation(() => real() + by);
      expect(monotonicScheduler.now() - before).toBeGreaterThanOrEqual(0);
      expect(monotonicScheduler.now() - before).toBeLessThan(HOUR / 2);
      expect(Math.abs(dated.now() - datedBefore)).toBeLessThan(HOUR / 2);
      expect(Math.abs(wallClockOf()() - real() - by)).toBeLessThan(HOUR / 2);
    }
    clock.mockRestore();
  });

  test('runs in the virtual time of a TestScheduler', () => {
    const seen: number[] = [];
    new TestScheduler(() => undefined).run(() => {
      timer(500, monotonicScheduler).subscribe(() =>
        seen.push(monotonicScheduler.now(), wallClockOf()(), datedScheduler().now()),
      );
    });
    expect(seen).toEqual([500, 500, 500]);
  });
});

test('S9 a timer is set to whole milliseconds, and not below what was asked for: platforms cut off a fraction', () => {
  const set = vi.spyOn(globalThis, 'setInterval');
  try {
    for (const delay of [0, 20, 20.25]) monotonicScheduler.schedule(() => undefined, delay).unsubscribe();
    expect(set.mock.calls.map(([, ms]) => ms)).toEqual([0, 20, 21]);
  } finally {
    set.mockRestore();
  }
});

describe('S9 a clock that lags behind its timers', () => {
  beforeEach(() => {
    // `performance.now()` stands still, as a coarse clock does, or that of a test which fakes the timers alone.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'] });
  });
  afterEach(() => void vi.useRealTimers());

  test('is taken on by each timer that fires: a job is read at its pace', async () => {
    const emulator = createEmulator({
      endpoints: { demo: { handler: (_, { delay }) => delay(20_000).pipe(map(() => 'done')) } },
    });
    const client = createRunpod({ transport: emulator.transport, apiKey: 'key', random: () => 0.5 });
    let output: unknown;
    client
      .endpoint('demo')
      .job({ input: { a: 1 } })
      .output$.subscribe((value) => (output = value));
    await vi.advanceTimersByTimeAsync(30_000);
    expect(output).toBe('done');
    emulator.close();
  });
});

describe('S9 the wall clock', () => {
  test('is that of the process, or of a foreign scheduler, or what the scheduler brings', () => {
    expect(wallClockOf(asyncScheduler)()).toBeGreaterThan(1.7e12);
    expect(wallClockOf(virtual)()).toBe(0);
    const bringing = Object.assign(new VirtualTimeScheduler(), { wallNow: () => 5 });
    expect(wallClockOf(bringing)()).toBe(5);
  });

  test('gives the time of a date on the clock of durations; a date in the future counts as now', () => {
    const scheduler = { ...virtual, now: () => 1_000 } as unknown as VirtualTimeScheduler;
    const wallNow = () => 50_000;
    expect(timeOfDate(49_000, scheduler, wallNow)).toBe(0);
    expect(timeOfDate(40_000, scheduler, wallNow)).toBe(-9_000);
    expect(timeOfDate(50_000 + HOUR, scheduler, wallNow)).toBe(1_000);
  });
});
