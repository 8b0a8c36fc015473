import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isRecord, parseJson, sameJson } from '../../src/protocol/json.js';
import { seed } from '../support/seed.js';

describe('sameJson', () => {
  it.each<[string, unknown, unknown, boolean]>([
    ['equal numbers', 1, 1, true],
    ['a number and its text', 1, '1', false],
    ['null and undefined', null, undefined, false],
    ['null and an object', null, {}, false],
    ['an object and null', {}, null, false],
    ['keys in another order', { a: 1, b: [2] }, { b: [2], a: 1 }, true],
    ['items in another order', [1, 2], [2, 1], false],
    ['an object and a list', {}, [], false],
    ['a list and an object like it', ['a'], { 0: 'a' }, false],
    ['a list and a longer one', [1], [1, 2], false],
    ['an object and a larger one', { a: 1 }, { a: 1, b: 2 }, false],
    ['other keys, as many', { a: undefined }, { b: undefined }, false],
    ['a key that objects inherit', { a: 1 }, { toString: 1 }, false],
    ['an inherited key on the right', { toString: Object.prototype.toString }, { a: 1 }, false],
    ['big integers', 12345678901234567890n, 12345678901234567890n, true],
    ['different big integers', { n: 1n }, { n: 2n }, false],
    ['a big integer and a number', 1n, 1, false],
    ['deep differences', { a: [{ b: 1 }] }, { a: [{ b: 2 }] }, false],
  ])('compares %s', (_, a, b, same) => {
    expect(sameJson(a, b)).toBe(same);
    expect(sameJson(b, a)).toBe(same);
  });

  it('finds any value equal to its copy with reversed keys, and unequal to a changed copy', () => {
    const reversed = (value: unknown): unknown =>
      Array.isArray(value)
        ? value.map(reversed)
        : isRecord(value)
          ? Object.fromEntries(
              Object.entries(value)
                .reverse()
                .map(([key, member]) => [key, reversed(member)]),
            )
          : value;
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(sameJson(value, reversed(value))).toBe(true);
        expect(sameJson({ value }, { value, more: 1 })).toBe(false);
        expect(sameJson([value], [value, value])).toBe(false);
      }),
      { seed },
    );
  });
});

describe('parseJson', () => {
  it('gives undefined for what is not JSON, and for a parser that throws', () => {
    expect([parseJson('{"a":1}'), parseJson('null'), parseJson('{'), parseJson('')]).toStrictEqual([
      { a: 1 },
      null,
      undefined,
      undefined,
    ]);
    expect(parseJson('5', (text) => BigInt(text))).toBe(5n);
    expect(
      parseJson('5', () => {
        throw new Error('no');
      }),
    ).toBeUndefined();
  });
});

describe('isRecord', () => {
  it.each([
    [{}, true],
    [[], false],
    [null, false],
    ['x', false],
    [undefined, false],
  ])('accepts JSON objects only: %j', (value, record) => {
    expect(isRecord(value)).toBe(record);
  });
});
