import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fairPart } from '../../src/budget/fairPart.js';
import { seed } from '../support/seed.js';

const partsOf = (limit: number, wishes: Record<string, number>, rotation = 0) => {
  const all = new Map(Object.entries(wishes));
  return Object.fromEntries([...all.keys()].map((name) => [name, fairPart(limit, all, name, rotation)]));
};

describe('S38 the fair part of a member', () => {
  test('is an equal one, where all want more', () => {
    expect(partsOf(1_000, { a: 1_000, b: 1_000, c: 500, d: 999 })).toEqual({ a: 250, b: 250, c: 250, d: 250 });
  });

  test('is what it wants, where that is little: the others share the rest', () => {
    expect(partsOf(1_000, { a: 1_000, b: 10, c: 1_000 })).toEqual({ a: 495, b: 10, c: 495 });
  });

  test('is more than it wants, where there is more than all want: half of that stays free', () => {
    expect(partsOf(1_000, { a: 100, b: 300 })).toEqual({ a: 250, b: 450 });
    expect(partsOf(1_000, { a: 2 })).toEqual({ a: 501 });
  });

  test('leaves nothing over, and what cannot be divided goes round', () => {
    const wishes = { a: 9, b: 9, c: 9 };
    expect(partsOf(20, wishes, 0)).toEqual({ a: 6, b: 7, c: 7 });
    expect(partsOf(20, wishes, 1)).toEqual({ a: 7, b: 6, c: 7 });
    expect(partsOf(20, wishes, 2)).toEqual({ a: 7, b: 7, c: 6 });
    expect(partsOf(1, wishes, 3)).toEqual({ a: 0, b: 0, c: 1 });
    expect(partsOf(1, wishes, 4)).toEqual({ a: 1, b: 0, c: 0 });
  });

  test('adds up to the limit at most, to all of it where all is wanted, and nobody has less who wants more', () => {
    fc.assert(
      fc.property(
        fc.nat(200),
        fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd', 'e'), fc.nat(100), { minKeys: 1 }),
        fc.nat(1_000),
        (limit, wishes, rotation) => {
          const parts = partsOf(limit, wishes, rotation);
          const sum = Object.values(parts).reduce((a, b) => a + b, 0);
          const wanted = Object.values(wishes).reduce((a, b) => a + b, 0);
          expect(sum).toBeLessThanOrEqual(limit);
          if (wanted >= limit) expect(sum).toBe(limit);
          for (const [name, part] of Object.entries(parts)) {
            if (wanted <= limit) expect(part).toBeGreaterThanOrEqual(wishes[name]!);
            for (const [other, wish] of Object.entries(wishes))
              if (wish <= wishes[name]!) expect(part).toBeGreaterThanOrEqual(parts[other]! - 1);
          }
        },
      ),
      { seed },
    );
  });
});
