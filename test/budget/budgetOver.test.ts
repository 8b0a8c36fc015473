import { describe, expect, test } from 'vitest';
import type { OperationLimits } from 'runpod-rx';
import { fleet, type Way } from './fleet.js';

const limits = { requests: 100, per: 10_000, concurrent: 20 };

/** A lease of three seconds: reports are due each second. */
const lease = 3_000;

const quick: Way = { there: 10, work: 20, back: 10 };

/** A fleet whose engine has been up for long. */
function settled(options: Parameters<typeof fleet>[1] = {}, given: OperationLimits = limits) {
  const made = fleet(given, { lease, ...options });
  const first = made.start();
  first.send(1, quick);
  made.until(20_000);
  made.service.arrivedAt.length = 0;
  made.engine.reportedAt.length = 0;
  return made;
}

const between = (times: readonly number[], from: number, to: number) =>
  times.filter((at) => at >= from && at < to).length;

describe('S38 a process of a budget', () => {
  test('uses all that there is, where it is alone', () => {
    const { service, start, until } = settled();
    start().keepBusy(20, quick, 60_000);
    until(50_000);
    expect(between(service.arrivedAt, 20_000, 30_000)).toBe(100);
    expect(between(service.arrivedAt, 30_000, 50_000)).toBeGreaterThanOrEqual(198);
    expect(service.mostAtOnce).toBe(20);
  });

  test('waits for a lease until a new engine has heard of all processes', () => {
    const { service, start, until } = fleet(limits, { lease });
    start().send(5, quick);
    until(20_000);
    expect(service.arrivedAt).toHaveLength(5);
    expect(service.arrivedAt[0]).toBeGreaterThanOrEqual(lease);
    expect(service.arrivedAt[4]).toBeLessThan(lease + lease / 3);
  });

  test('waits for one answer of the engine, and then sends what is leased without asking', () => {
    const { engine, service, start, until } = settled();
    start().keepBusy(1, { there: 10, work: 400, back: 10 }, 40_000);
    until(20_100);
    // There and back.
    expect(service.arrivedAt).toEqual([20_000 + 2 * 2 + 10]);
    until(39_000);
    expect(service.arrivedAt.length).toBeGreaterThan(40);
    expect(engine.reportedAt.length).toBeLessThan(25);
  });

  test('asks at once for what a burst needs beyond its part', () => {
    const { service, start, at, until } = settled();
    const process = start();
    process.send(1, { ...quick, work: 5_000 });
    at(21_500, () => {
      process.send(15, quick);
    });
    until(22_000);
    expect(between(service.arrivedAt, 21_500, 21_600)).toBe(15);
  });

  test('reports three times in a lease while it has requests, and never while it has none', () => {
    const { engine, scheduler, start, until } = settled();
    start().send(2, { there: 10, work: 8_000, back: 10 });
    until(27_900);
    expect(between(engine.reportedAt, 21_000, 27_900)).toBe(7);
    until(40_000);
    expect(between(engine.reportedAt, 28_500, 40_000)).toBe(0);
    expect(scheduler.actions).toEqual([]);
  });

  test('shares equally with others that are busy', () => {
    const { service, start, until } = settled();
    const processes = [start(), start(), start(), start()];
    for (const process of processes) process.keepBusy(20, quick, 80_000);
    until(50_000);
    const before = processes.map(({ sent }) => sent);
    until(80_000);
    for (const [nth, { sent }] of processes.entries()) expect(sent - before[nth]!).toBeGreaterThanOrEqual(74);
    expect(between(service.arrivedAt, 50_000, 80_000)).toBeGreaterThanOrEqual(298);
    expect(service.mostInWindow(limits.per)).toBeLessThanOrEqual(100);
  });

  test('leaves what it does not need to who is busy', () => {
    const { service, start, until } = settled();
    for (let nth = 0; nth < 3; nth++) start().keepBusy(1, { there: 10, work: 2_000, back: 10 }, 80_000);
    const busy = start();
    busy.keepBusy(20, quick, 80_000);
    until(50_000);
    const before = busy.sent;
    until(80_000);
    // Each of the others needs five requests in a window.
    expect(busy.sent - before).toBeGreaterThanOrEqual(3 * 70);
    expect(service.mostInWindow(limits.per)).toBeLessThanOrEqual(100);
  });

  test('has a part of what the workers add, of which only another process knows', () => {
    const { service, start, until } = settled({}, { ...limits, perWorker: 50 });
    start({ workers: 6 }).keepBusy(20, quick, 80_000);
    const late = start();
    late.keepBusy(20, quick, 80_000);
    until(50_000);
    const before = late.sent;
    until(80_000);
    expect(late.sent - before).toBeGreaterThanOrEqual(3 * 100);
    expect(service.mostInWindow(limits.per)).toBeLessThanOrEqual(300);
  });

  test('gives way to who comes, as its requests no longer count', () => {
    const { service, start, at, until } = settled();
    start().keepBusy(20, quick, 80_000);
    const late = start();
    at(30_000, () => {
      late.keepBusy(20, quick, 80_000);
    });
    until(60_000);
    const before = late.sent;
    until(70_000);
    expect(late.sent - before).toBeGreaterThanOrEqual(49);
    expect(service.mostInWindow(limits.per)).toBeLessThanOrEqual(100);
    expect(service.mostAtOnce).toBeLessThanOrEqual(20);
  });

  test('gives back what is not counted when it has no more requests, and the rest a window after its last answer', () => {
    const { engine, start, until } = settled();
    start().send(10, quick);
    until(20_050);
    expect(engine.leases.held('demo/run').concurrent).toBeGreaterThanOrEqual(10);
    until(20_500);
    expect(engine.leases.held('demo/run')).toEqual({ requests: 10, concurrent: 0 });
    const other = start();
    other.send(100, quick);
    until(29_000);
    expect(other.sent).toBe(90);
    until(31_500);
    expect(other.sent).toBe(100);
  });

  test('leaves its part to the others a window and a lease after it was killed', () => {
    const { service, start, at, until } = settled();
    const killed = start();
    killed.keepBusy(20, quick, 90_000);
    const other = start();
    other.keepBusy(20, quick, 90_000);
    at(50_000, () => {
      killed.stop();
    });
    until(50_000 + limits.per + lease + 500);
    const before = other.sent;
    until(50_000 + 2 * limits.per + lease + 500);
    expect(other.sent - before).toBeGreaterThanOrEqual(97);
    expect(service.mostInWindow(limits.per)).toBeLessThanOrEqual(100);
  });

  test('gets its turn, where there are more processes than requests', () => {
    const { service, start, until } = settled({}, { requests: 2, per: 1_000, concurrent: 1 });
    const processes = Array.from({ length: 5 }, () => start());
    for (const process of processes) process.keepBusy(1, quick, 140_000);
    until(140_000);
    for (const { sent } of processes) expect(sent).toBeGreaterThanOrEqual(8);
    expect(service.mostInWindow(1_000)).toBeLessThanOrEqual(2);
    expect(service.mostAtOnce).toBe(1);
  });

  test('is stopped and goes on, and sends nothing by what it held before', () => {
    const { service, start, at, until } = settled();
    const stopped = start();
    stopped.keepBusy(20, quick, 90_000);
    const other = start();
    other.keepBusy(20, quick, 90_000);
    at(50_000, () => {
      stopped.stop(30_000);
    });
    until(90_000);
    expect(service.mostInWindow(limits.per)).toBeLessThanOrEqual(100);
    expect(stopped.sent).toBeGreaterThan(200);
  });

  test.each([0, 200, 400, 600, 800])(
    'is stopped %i ms after a report, and does not take the engine for gone',
    (after) => {
      const { service, start, at, until } = settled({ latency: 300, offlineShare: 1 });
      start().keepBusy(20, quick, 90_000);
      const stopped = start();
      stopped.keepBusy(20, quick, 90_000);
      at(50_000 + after, () => {
        stopped.stop(30_000);
      });
      until(90_000);
      expect(service.mostInWindow(limits.per)).toBeLessThanOrEqual(100);
    },
  );
});

describe('S39 a process without the engine', () => {
  test('uses its part to the end of the lease, and then the offline share', () => {
    const { engine, service, start, at, until } = settled({ offlineShare: 0.2 });
    start().keepBusy(10, { there: 10, work: 960, back: 10 }, 90_000);
    at(50_500, () => {
      engine.state = 'silent';
    });
    until(90_000);
    // 100 in ten seconds and the second of an answer before, then 20.
    expect(between(service.arrivedAt, 40_000, 50_000)).toBeGreaterThanOrEqual(90);
    expect(between(service.arrivedAt, 50_500, 53_000)).toBeGreaterThanOrEqual(20);
    expect(between(service.arrivedAt, 65_000, 85_000)).toBeLessThanOrEqual(40);
    expect(between(service.arrivedAt, 65_000, 85_000)).toBeGreaterThanOrEqual(30);
  });

  test.each([
    ['refuses', 0],
    ['silent', lease / 2],
  ] as const)('begins with the offline share where the engine %s', (state, after) => {
    const { engine, service, start, until } = fleet(limits, { lease });
    engine.state = state;
    start().send(50, quick);
    until(9_000);
    // A tenth of the requests in a window, and of those at once.
    expect(service.arrivedAt).toHaveLength(10);
    expect(service.mostAtOnce).toBe(2);
    expect(service.arrivedAt[0]).toBeGreaterThanOrEqual(after);
    expect(service.arrivedAt[0]).toBeLessThanOrEqual(after + 20);
  });

  test('sends nothing with an offline share of 0, but cancels', () => {
    const { engine, service, start, until } = fleet(limits, { lease, offlineShare: 0 });
    engine.state = 'silent';
    start().send(5, quick);
    until(60_000);
    expect(service.arrivedAt).toEqual([]);
    start({ operation: 'cancel' }).send(3, quick);
    until(90_000);
    expect(service.arrivedAt).toHaveLength(3);
    expect(service.mostAtOnce).toBe(1);
  });

  test('uses its part again when the engine is back', () => {
    const { engine, start, at, until } = settled();
    const process = start();
    process.keepBusy(20, quick, 120_000);
    at(50_000, () => {
      engine.state = 'silent';
    });
    at(60_000, () => {
      engine.state = 'up';
    });
    until(80_000);
    const before = process.sent;
    until(100_000);
    expect(process.sent - before).toBeGreaterThanOrEqual(198);
  });

  test('does not let newcomers have what others hold, when the engine is back without its data', () => {
    const { engine, service, start, at, until } = settled();
    start().keepBusy(20, quick, 90_000);
    at(49_000, () => {
      engine.leases.restart();
    });
    at(49_001, () => {
      start().keepBusy(20, quick, 90_000);
    });
    until(90_000);
    expect(service.mostInWindow(limits.per)).toBeLessThanOrEqual(100);
  });

  test('has no timer that keeps it alive', () => {
    const { engine, scheduler, start, until } = fleet(limits, { lease });
    engine.state = 'silent';
    start().send(1, quick);
    until(lease);
    expect(scheduler.actions).toEqual([]);
  });
});

describe('S39 cancels of a budget', () => {
  test.each(['up', 'refuses', 'silent'] as const)('go at once, where the engine is new, or %s', (state) => {
    const { engine, service, start, until } = fleet(limits, { lease });
    engine.state = state;
    start({ operation: 'cancel' }).send(2, quick);
    until(1_000);
    // The second when the first is answered, or when the engine has refused.
    expect(service.arrivedAt).toEqual([10, state === 'refuses' ? 10 : 50]);
  });

  test('keep within the limits, where others begin to cancel meanwhile', () => {
    const { service, start, at, until } = settled();
    const cancel = { operation: 'cancel' };
    start(cancel).keepBusy(20, quick, 60_000);
    for (const ms of [31_000, 31_000, 42_000, 42_000])
      at(ms, () => {
        start(cancel).keepBusy(20, quick, 60_000);
      });
    until(60_000);
    expect(service.mostInWindow(limits.per)).toBeLessThanOrEqual(100);
    expect(service.mostAtOnce).toBeLessThanOrEqual(20);
    expect(between(service.arrivedAt, 50_000, 60_000)).toBeGreaterThanOrEqual(75);
  });

  test('go within the offline share, where the engine is gone', () => {
    const { engine, service, start, until } = fleet(limits, { lease });
    engine.state = 'silent';
    start({ operation: 'cancel' }).send(50, quick);
    until(9_000);
    expect(service.arrivedAt).toHaveLength(10);
    expect(service.mostAtOnce).toBe(2);
  });
});
