import { describe, expect, test } from 'vitest';
import { Outage } from '../../src/sources/Outage.js';

/** An outage with failures at these times. */
function outageOf(patience: number, ...times: readonly number[]): Outage {
  const outage = new Outage(patience);
  for (const time of times) outage.addFailure(time);
  return outage;
}

describe('an outage', () => {
  test.each([0, 1, 10_000])('S2 is never over after one failure alone: a patience of %i ms', (patience) => {
    expect(outageOf(patience, 5_000).allowsPause(1e9)).toBe(true);
    expect(outageOf(patience, 5_000, 5_000).allowsPause(patience + 1)).toBe(false);
  });

  test('S2 is counted from the first failure in a row', () => {
    const outage = outageOf(1_000, 50_000, 50_400, 50_800);
    expect([outage.allowsPause(200), outage.allowsPause(201)]).toEqual([true, false]);
  });

  test('S2 is counted anew after an answer', () => {
    const outage = outageOf(1_000, 0, 400, 800);
    outage.end();
    expect(outage.failures).toBe(0);
    outage.addFailure(900);
    outage.addFailure(1_300);
    expect([outage.failures, outage.allowsPause(600), outage.allowsPause(601)]).toEqual([2, true, false]);
  });

  test('S9 counts a sleep between two failures for half of the patience at most', () => {
    const asleep = outageOf(300_000, 0, 5_000, 36_000_000);
    expect([asleep.allowsPause(145_000), asleep.allowsPause(145_001)]).toEqual([true, false]);
  });
});
