import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { adaptivePolicy, fixedPolicy } from '../../src/sources/PollPolicy.js';
import { seed } from '../support/seed.js';

describe('adaptivePolicy', () => {
  it.each([
    [0, 500],
    [4_999, 500],
    [5_000, 500],
    [5_010, 501],
    [20_000, 2_000],
    [49_990, 4_999],
    [50_000, 5_000],
    [50_010, 5_000],
    [604_800_000, 5_000],
  ])('S11 reads a job of %i ms again after a tenth of its age, at least 0.5 s and at most 5 s: %i ms', (age, delay) => {
    expect(adaptivePolicy(() => 0.5)({ age, failures: 0 })).toBeCloseTo(delay, 6);
  });

  it.each([
    [0, 0.85],
    [0.25, 0.925],
    [0.5, 1],
    [0.999_999, 1.15],
  ])('S11 spreads by 15 % to each side: a draw of %f gives the %f-fold', (drawn, factor) => {
    const policy = adaptivePolicy(() => drawn);
    expect(policy({ age: 20_000, failures: 0 })).toBeCloseTo(2_000 * factor, 2);
    // The random part is added to the bounds, too; else all watchers of long jobs would read at the same moments.
    expect(policy({ age: 1e6, failures: 0 })).toBeCloseTo(5_000 * factor, 2);
  });

  it('S11 draws a number for each delay, from Math.random by default', () => {
    const random = vi.spyOn(Math, 'random').mockReturnValueOnce(0).mockReturnValueOnce(0.5);
    const policy = adaptivePolicy();
    expect([policy({ age: 0, failures: 0 }), policy({ age: 0, failures: 0 })]).toStrictEqual([425, 500]);
    random.mockRestore();
  });

  it('S11 stays within its bounds whatever is drawn', () => {
    const drawn = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e9 }), drawn, (age, random) => {
        const delay = adaptivePolicy(() => random)({ age, failures: 0 });
        expect(delay).toBeGreaterThanOrEqual(425);
        // The largest numbers are rounded up to the bound.
        expect(delay).toBeLessThanOrEqual(5_750);
      }),
      { seed },
    );
  });
});

describe('fixedPolicy', () => {
  it('S11 gives the same delay whatever the age, without a draw', () => {
    const random = vi.spyOn(Math, 'random');
    const policy = fixedPolicy(5_000);
    expect([0, 1e3, 1e6].map((age) => policy({ age, failures: 3 }))).toStrictEqual([5_000, 5_000, 5_000]);
    expect(random).not.toHaveBeenCalled();
    random.mockRestore();
  });
});
