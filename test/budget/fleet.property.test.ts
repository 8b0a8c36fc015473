import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { seed } from '../support/seed.js';
import { fleet, type Process, type Way } from './fleet.js';

const limits = { requests: 24, per: 1_000, concurrent: 8 };
const lease = 300;

/** How long the part of a killed process is kept, in milliseconds, and some reports more. */
const RETURN = limits.per + 2 * lease;

const way: fc.Arbitrary<Way> = fc.record({
  there: fc.nat(150),
  work: fc.nat(400),
  back: fc.nat(150),
});

const moment = fc.nat(9_000);
const which = fc.nat(5);
const happening = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constant('send'), at: moment, which, count: fc.nat(150), way }) },
  fc.record({ type: fc.constant('kill'), at: moment, which }),
  fc.record({ type: fc.constant('stop'), at: moment, which, ms: fc.nat(3_000) }),
  fc.record({ type: fc.constant('cut'), at: moment, which, ms: fc.nat(3_000) }),
  fc.record({ type: fc.constant('refuses'), at: moment, ms: fc.nat(3_000) }),
  fc.record({ type: fc.constant('silent'), at: moment, ms: fc.nat(3_000) }),
);

describe('S38 the processes of a budget', () => {
  test('never exceed the limits, whatever happens to them and to the engine, and every part comes back', () => {
    fc.assert(
      fc.property(fc.array(happening, { minLength: 1, maxLength: 24 }), fc.nat(60), (happenings, latency) => {
        const { engine, service, start, at, until } = fleet(limits, { lease, offlineShare: 0, latency });
        const processes = new Map<number, Process>();
        const processOf = (nth: number) => {
          const process = processes.get(nth) ?? start();
          processes.set(nth, process);
          return process;
        };
        for (const one of happenings)
          at(one.at, () => {
            if (one.type === 'send') processOf(one.which).send(one.count, one.way);
            else if (one.type === 'kill') {
              processes.get(one.which)?.stop();
              processes.delete(one.which);
            } else if (one.type === 'stop') processes.get(one.which)?.stop(one.ms);
            else if (one.type === 'cut') {
              const process = processOf(one.which);
              process.cut = true;
              at(one.at + one.ms, () => {
                process.cut = false;
              });
            } else {
              engine.state = one.type;
              at(one.at + one.ms, () => {
                engine.state = 'up';
              });
            }
          });
        until(13_000);
        engine.state = 'up';
        for (const process of processes.values()) process.stop();
        const last = start();
        last.send(1_000, { there: 1, work: 1, back: 1 });
        until(13_000 + RETURN);
        // One process has all that there is.
        const before = last.sent;
        until(13_000 + RETURN + limits.per + 10);
        expect(last.sent - before).toBeGreaterThanOrEqual(limits.requests - 1);
        expect(service.mostInWindow(limits.per)).toBeLessThanOrEqual(limits.requests);
        expect(service.mostAtOnce).toBeLessThanOrEqual(limits.concurrent);
      }),
      { seed, numRuns: 100 },
    );
  });
});

describe('S39 processes without the engine', () => {
  test('never exceed the limits while it is gone and when it is back, with its data and without', () => {
    const outage = fc.record({
      at: fc.integer({ min: 3_000, max: 9_000 }),
      ms: fc.integer({ min: 1, max: 4_000 }),
      state: fc.constantFrom('refuses' as const, 'silent' as const),
      loses: fc.boolean(),
    });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 6 }),
        fc.array(outage, { minLength: 1, maxLength: 3 }),
        fc.nat(60),
        way,
        // Nobody uses more than it had, so that the sum of the shares does not matter where nobody starts.
        fc.constantFrom(0.1, 1 / 6, 1),
        (count, outages, latency, given, offlineShare) => {
          const { engine, service, start, at, until } = fleet(limits, { lease, offlineShare, latency });
          const processes = Array.from({ length: count }, () => start());
          for (const process of processes) process.keepBusy(6, given, 16_000);
          for (const { at: begin, ms, state, loses } of outages) {
            at(begin, () => {
              engine.state = state;
            });
            at(begin + ms, () => {
              engine.state = 'up';
              if (loses) engine.leases.restart();
            });
          }
          until(20_000);
          expect(service.mostInWindow(limits.per)).toBeLessThanOrEqual(limits.requests);
          expect(service.mostAtOnce).toBeLessThanOrEqual(limits.concurrent);
        },
      ),
      { seed, numRuns: 40 },
    );
  });
});
