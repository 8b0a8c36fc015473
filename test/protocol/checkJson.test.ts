import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkJson } from '../../src/protocol/checkJson.js';
import { issuesText } from '../../src/protocol/checks.js';

const wrong = (input: unknown) => issuesText(checkJson('input', input, 1_000_000));

class Prompt {
  readonly text = 'a lighthouse';
}

class Hidden {
  readonly #text = 'a lighthouse';
  get text() {
    return this.#text;
  }
}

class Money {
  constructor(readonly cents: number) {}
  toJSON() {
    return `${this.cents / 100} €`;
  }
}

/** A class as it was written before there were classes. */
function Old(this: { text: string }) {
  this.text = 'a lighthouse';
}
(Old.prototype as Record<string, unknown>).paint = () => 1;

const nested = (depth: number) => {
  let value: unknown = 1;
  for (let level = 0; level < depth; level++) value = { a: value };
  return value;
};

describe('S20 checkJson', () => {
  it.each<[string, unknown]>([
    ['text, numbers, booleans and null', { a: 'ä\ud800', b: [0, -0, 1e308, -1.5], c: true, d: null }],
    ['members that are undefined, which are left out', { a: 1, b: undefined }],
    ['what toJSON makes of a value', { at: new Date(0), url: new URL('https://a.example'), price: new Money(500) }],
    ['an instance of a class with members', { prompt: new Prompt() }],
    ['methods of a prototype', { prompt: new (Old as unknown as new () => object)() }],
    ['an object without a prototype, and one of another realm', [Object.create(null), runInNewContext('({ x: [1] })')]],
    ['the same object in two places', ((shared) => ({ a: shared, b: [shared, shared] }))({ x: 1 })],
    ['a proxy of what JSON can carry', new Proxy({ a: [1] }, {})],
    ['500 levels', nested(499)],
    ['members that are not enumerable', Object.defineProperty({}, 'hidden', { value: () => 1 })],
    ['empty lists and objects', { a: [], b: {} }],
  ])('takes %s', (_, input) => {
    expect(wrong(input)).toBe('');
  });

  const circle: Record<string, unknown> = { list: [1] };
  (circle.list as unknown[]).push({ back: circle });
  const throwing = {
    get secret() {
      throw new Error('no entry');
    },
  };
  const revoked = Proxy.revocable({}, {});
  revoked.revoke();

  const refused: readonly [unknown, string, string?][] = [
    [{ images: [0, 0, { data: Buffer.from('abc') }] }, 'input.images[2].data is a Buffer', 'base64'],
    [{ image: new Uint8Array([1]) }, 'input.image is a Uint8Array', 'base64'],
    [{ image: new Uint8Array([1]).buffer }, 'input.image is an ArrayBuffer', 'base64'],
    [{ image: new DataView(new ArrayBuffer(1)) }, 'input.image is a DataView', 'base64'],
    [{ image: new Blob(['abc']) }, 'input.image is a Blob', 'base64'],
    [{ x: new Map([[1, 2]]) }, 'input.x is a Map', 'plain object'],
    [{ x: new Set([1]) }, 'input.x is a Set'],
    [{ x: runInNewContext('new Map()') }, 'input.x is a Map'],
    [{ x: new WeakMap() }, 'input.x is a WeakMap'],
    [{ x: /a/ }, 'input.x is a RegExp'],
    [{ x: new Error('no') }, 'input.x is an Error'],
    [{ x: Promise.resolve(1) }, 'input.x is a Promise', 'wait'],
    [{ x: new Hidden() }, 'input.x is a Hidden without members'],
    [{ x: Object(5) as unknown }, 'input.x is a Number'],
    [{ x: new Date(NaN) }, 'input.x is an invalid Date'],
    [{ scale: NaN }, 'input.scale is NaN', 'finite'],
    [{ scale: -Infinity }, 'input.scale is -Infinity', 'finite'],
    [{ n: 1n }, 'input.n is a bigint'],
    [{ f: () => 1 }, 'input.f is a function'],
    [{ s: Symbol('s') }, 'input.s is a symbol'],
    [{ o: { [Symbol('s')]: 1 } }, 'input.o is an object with a symbol for a name'],
    [{ list: [1, undefined] }, 'input.list[1] is undefined', 'null'],
    // eslint-disable-next-line no-sparse-arrays -- a hole is what is tested
    [{ list: [1, , 3] }, 'input.list[1] is undefined'],
    [{ x: Object.create({ steps: 5 }) as object }, 'input.x is an Object that inherits steps'],
    [{ x: Object.assign(Object.create({ steps: 5 }) as object, { a: 1 }) }, 'input.x is an Object that inherits steps'],
    [{ x: Object.create(Object.assign(Object.create(null) as object, { steps: 5 })) as object }, 'inherits steps'],
    [{ x: { toJSON: () => NaN } }, 'input.x is NaN'],
    [{ x: { toJSON: () => ({ y: new Map() }) } }, 'input.x.y is a Map'],
    [{ x: { toJSON: () => undefined } }, 'input.x is undefined'],
    [{ 'a b': { '"': NaN } }, 'input["a b"]["\\""] is NaN'],
    [circle, 'input.list[1].back is an object within itself', 'tree'],
    [throwing, 'input.secret is an error (Error: no entry)'],
    [{ x: revoked.proxy }, 'input.x is an error (TypeError'],
    [nested(501), 'is nested in 500 others'],
    [Buffer.from('abc'), 'input is a Buffer'],
    [undefined, 'input is undefined'],
  ];
  it.each(refused.map(([input, what, hint = '']) => ({ input: () => input, what, hint })))(
    'refuses where $what',
    (row) => {
      const { what, hint } = row;
      const input = row.input();
      expect(wrong(input)).toContain(what);
      expect(wrong(input)).toContain('but must be what JSON can carry');
      expect(wrong(input)).toContain(hint);
    },
  );

  it('overflows no stack, whatever the depth, and says so in a bounded text', () => {
    expect(wrong(nested(100_000)).length).toBeLessThan(400);
    expect(wrong({ ['x'.repeat(1_000_000)]: NaN }).length).toBeLessThan(400);
  });

  it('ends soon where one object in many places makes a huge text', () => {
    let value: unknown = [1];
    for (let level = 0; level < 100; level++) value = [value, value];
    expect(issuesText(checkJson('input', value, 10_000))).toBe('input is more than 10000 values, but must be smaller');
  });

  it('takes whatever comes back from JSON as it was, and refuses all else', () => {
    const values = fc.anything({
      withBigInt: true,
      withBoxedValues: true,
      withDate: false,
      withMap: true,
      withSet: true,
      withTypedArray: true,
      withSparseArray: true,
      withNullPrototype: true,
    });
    /** What JSON is to carry: without members that are undefined, and with one kind of zero and of prototype. */
    const plain = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(plain);
      if (typeof value !== 'object' || value === null) return value === 0 ? 0 : value;
      const members = Object.entries(value).filter(([, member]) => member !== undefined);
      return Object.fromEntries(members.map(([name, member]) => [name, plain(member)]));
    };
    fc.assert(
      fc.property(values, (value) => {
        const issues = checkJson('input', value, 1_000_000);
        if (issues.length) return;
        expect(JSON.parse(JSON.stringify(value))).toEqual(plain(value));
      }),
      { numRuns: 2_000 },
    );
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(checkJson('input', value, 1_000_000)).toEqual([]);
      }),
    );
  });
});
