import { describe, expect, expectTypeOf, test } from 'vitest';
import { estimateCost, isRunpodError, type JobSnapshot, type PipelineTotals } from 'runpod-rx';
import { job } from '../fixtures/snapshots.js';

describe('estimateCost', () => {
  test('is the execution time at the price of a second', () => {
    expect(estimateCost(job('COMPLETED', { executionTime: 3_986 }), { perSecond: 0.5 })).toBeCloseTo(1.993, 10);
    expect(estimateCost({ executionTime: 90_000 }, { perSecond: 0.0004 })).toBeCloseTo(0.036, 10);
    expect(estimateCost({ executionTime: 0 }, { perSecond: 1 })).toBe(0);
    expect(estimateCost({ executionTime: 1_000 }, { perSecond: 0 })).toBe(0);
  });

  test('is unknown for a job whose execution time is', () => {
    expect(estimateCost(job('IN_QUEUE', {}), { perSecond: 1 })).toBeUndefined();
  });

  test('takes snapshots and totals, and is always known for totals', () => {
    expectTypeOf(estimateCost({} as JobSnapshot, { perSecond: 1 })).toEqualTypeOf<number | undefined>();
    const totals = { executionTime: 1 } as PipelineTotals;
    expectTypeOf(estimateCost(totals, { perSecond: 1 })).toEqualTypeOf<number>();
  });

  test.each([-1, NaN, Infinity, '1', undefined])('throws for a price of %s', (perSecond) => {
    const estimate = () => estimateCost({ executionTime: 1 }, { perSecond } as never);
    expect(estimate).toThrow(expect.objectContaining({ code: 'configuration' }));
    expect(estimate).toThrow(/perSecond/);
  });

  test('says what a mistyped option was probably meant to be', () => {
    const thrown = (): unknown => {
      try {
        return estimateCost({ executionTime: 1 }, { perSecnd: 1 } as never);
      } catch (error) {
        return error;
      }
    };
    expect(isRunpodError(thrown(), 'configuration')).toBe(true);
    expect(String(thrown())).toContain('perSecond');
  });
});
