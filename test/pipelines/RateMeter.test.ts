import { describe, expect, it } from 'vitest';
import { RateMeter } from '../../src/pipelines/RateMeter.js';

/** No whole second, as a clock has it. */
const START = 10_300;

/** A meter, and a number of events at each of some seconds after its start. */
function meterWith(events: Record<number, number>): RateMeter {
  const meter = new RateMeter(START);
  for (const [second, count] of Object.entries(events))
    for (let event = 0; event < count; event++) meter.count(START + Number(second) * 1000);
  return meter;
}

const at = (second: number) => START + second * 1000;

describe('RateMeter', () => {
  it('has no rate at its start', () => {
    const meter = meterWith({ 0: 3 });
    expect([meter.rate(at(0)), meter.remaining(at(0), 5)]).toEqual([0, undefined]);
  });

  it('averages since the start during the first minute', () => {
    const meter = meterWith({ 0: 2, 1: 2, 3: 4 });
    expect([meter.rate(at(4)), meter.rate(at(40))]).toEqual([2, 0.2]);
  });

  it('forgets events that are older than a minute', () => {
    const meter = meterWith({ 0: 600, 1: 59 });
    // 59 whole seconds, and the half second that has passed.
    expect(meter.rate(at(59.5))).toBeCloseTo(659 / 59.5);
    expect(meter.rate(at(60.5))).toBeCloseTo(59 / 59.5);
    expect(meter.rate(at(61.5))).toBe(0);
  });

  it('forgets all events after a long silence, and counts new ones', () => {
    const meter = meterWith({ 0: 5, 30: 5, 59: 5 });
    expect(meter.rate(at(1000))).toBe(0);
    meter.count(at(1000));
    expect(meter.rate(at(1000))).toBeCloseTo(1 / 59);
  });

  it('counts each second in a slot of its own for longer than a minute', () => {
    const meter = new RateMeter(at(0));
    for (let second = 0; second < 200; second++) meter.count(at(second));
    expect(meter.rate(at(200))).toBeCloseTo(59 / 59);
    expect(meter.rate(at(229))).toBeCloseTo(30 / 59);
  });

  it('forgets nothing where the clock is set back', () => {
    const meter = meterWith({ 0: 1, 10: 9 });
    expect(meter.rate(at(5))).toBe(2);
    meter.count(at(5));
    expect(meter.rate(at(11))).toBe(1);
  });

  it('estimates how long more events take at the current rate', () => {
    const meter = meterWith({ 0: 2, 1: 2 });
    expect([meter.remaining(at(2), 0), meter.remaining(at(2), 3)]).toEqual([0, 1500]);
  });

  it('estimates by the average since the start where the last minute had no events', () => {
    const meter = meterWith({ 1: 10 });
    expect(meter.remaining(at(100), 1)).toBe(10_000);
  });

  it('rounds the estimate to whole milliseconds', () => {
    const meter = meterWith({ 0: 3 });
    expect(meter.remaining(at(1), 1)).toBe(333);
  });

  it('estimates nothing before the first event', () => {
    expect([meterWith({}).remaining(at(5), 1), meterWith({}).remaining(at(5), 0)]).toEqual([undefined, 0]);
  });
});
