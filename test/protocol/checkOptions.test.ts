import { describe, expect, expectTypeOf, it } from 'vitest';
import {
  callback,
  checkOptions,
  count,
  countOrInfinity,
  duration,
  durationBetween,
  durationOrNever,
  either,
  flag,
  longDuration,
  nested,
  observable,
  observer,
  oneOf,
  record,
  required,
  scheduler,
  signal,
  text,
  type Check,
  type Checks,
} from '../../src/protocol/checkOptions.js';
import { issuesText } from '../../src/protocol/checks.js';
import { didYouMean } from '../../src/protocol/didYouMean.js';
import { NEVER, Subject, asyncScheduler } from 'rxjs';

interface Options {
  readonly every?: number;
  readonly onUnsubscribe?: 'cancel' | 'cancel-if-queued' | 'detach';
  readonly timeout?: number | { readonly queue?: number; readonly total?: number };
}

const TABLE: Checks<Options> = {
  every: duration,
  onUnsubscribe: oneOf('cancel', 'cancel-if-queued', 'detach'),
  timeout: either('object', nested({ queue: duration, total: duration }), duration),
};

const wrong = (given: unknown) => issuesText(checkOptions(given, TABLE));

describe('S20 checkOptions', () => {
  it.each([
    [undefined],
    [{}],
    [{ every: undefined, unknown: undefined }],
    [{ every: 5, onUnsubscribe: 'detach', timeout: 7 }],
    [{ timeout: { total: 0 } }],
    [{ timeout: {} }],
  ])('takes %j', (options) => {
    expect(checkOptions(options, TABLE)).toStrictEqual([]);
  });

  it.each<[unknown, string]>([
    [null, 'options is null, but must be an object'],
    // It may be a key.
    ['rpa_KEY', 'options is text, but must be an object'],
    [5, 'options is 5, but must be an object'],
    [[5], 'options is an array, but must be an object'],
    [() => 5, 'options is a function, but must be an object'],
    [{ evry: 5 }, 'evry is a number, but is unknown: did you mean every?'],
    [{ onunsubscribe: 'cancel' }, 'onunsubscribe is text, but is unknown: did you mean onUnsubscribe?'],
    [{ timeoutMs: 5 }, 'timeoutMs is a number, but is unknown: did you mean timeout?'],
    [{ retries: null }, 'retries is null, but is unknown: there are every, onUnsubscribe, timeout'],
    [{ toString: 1 }, 'toString is a number, but is unknown: there are every, onUnsubscribe, timeout'],
    // The names that there are stand in the message once: an object of a class, given by mistake, has many members.
    [
      { retries: null, status: 1 },
      'retries is null, but is unknown: there are every, onUnsubscribe, timeout; status is a number, but is unknown',
    ],
    [{ timeout: { tota: 5 } }, 'timeout.tota is a number, but is unknown: did you mean total?'],
    [{ timeout: '2s' }, 'timeout is 2s, but must be a number of milliseconds from 0 to 2147483647'],
    [{ timeout: { total: -1 } }, 'timeout.total is -1, but must be a number of milliseconds from 0 to 2147483647'],
    [
      { onUnsubscribe: 'cancle' },
      "onUnsubscribe is cancle, but must be 'cancel' or 'cancel-if-queued' or 'detach': did you mean 'cancel'?",
    ],
    [{ onUnsubscribe: true }, "onUnsubscribe is true, but must be 'cancel' or 'cancel-if-queued' or 'detach'"],
  ])('refuses %j', (options, message) => {
    expect(wrong(options)).toBe(message);
  });

  it('names everything that is wrong', () => {
    expect(checkOptions({ evry: 1, every: '5', timeout: { queue: NaN } }, TABLE).map(({ field }) => field)).toEqual([
      'evry',
      'every',
      'timeout.queue',
    ]);
  });

  it('finds inherited options, too', () => {
    expect(wrong(Object.create({ every: 'x', evry: 1 }))).toMatch(/^evry .*; every is x/);
  });

  it('S21 quotes no value under an unknown name, which may be a key', () => {
    expect(wrong({ apikey: 'secret', header: { authorization: 'secret' } })).not.toContain('secret');
  });

  it('compares no name of any length', () => {
    expect(wrong({ ['every'.repeat(10_000)]: 1 })).toContain('is unknown: there are');
  });

  it('demands a row for each option from the compiler', () => {
    expectTypeOf<{ every: Check; onUnsubscribe: Check }>().not.toExtend<Checks<Options>>();
  });
});

describe('S20 the checks of values', () => {
  const bad = Symbol('bad');
  it.each<[string, Check, unknown[], unknown[]]>([
    ['duration', duration, [0, 0.5, 2_147_483_647], [-1, NaN, Infinity, 2_147_483_648, '5', null, 5n, new Date(5)]],
    ['longDuration', longDuration, [0, 2_147_483_648, 1e300], [-1, NaN, Infinity, '5', undefined]],
    ['durationBetween', durationBetween(5, 7), [5, 7], [4, 8, '6']],
    ['durationOrNever', durationOrNever, [0, Infinity], [NaN, -Infinity, 2_147_483_648, '30s']],
    ['count', count(1), [1, 2 ** 53 - 1], [0, 1.5, Infinity, NaN, '5', 2 ** 53]],
    ['countOrInfinity', countOrInfinity(0), [0, Infinity], [-1, -Infinity, NaN, '5']],
    ['flag', flag, [true, false], ['false', 0, 1, null]],
    ['text', text, ['', 'x'], [5, null, {}]],
    ['callback', callback, [() => 1, Map], [{}, 'x', null]],
    ['record', record, [{}, { x: 1 }], [[], null, 'x', () => 1]],
    ['observable', observable, [NEVER], [Promise.resolve(), {}, 'x', null]],
    ['observer', observer, [new Subject(), { next: () => 1 }], [() => 1, {}, null]],
    ['scheduler', scheduler, [asyncScheduler], [setTimeout, {}, null]],
    ['signal', signal, [new AbortController().signal], [new AbortController(), {}, null, true]],
    ['required', required(duration), [5], [undefined, '5']],
  ])('%s takes what it should, and nothing else', (_, check, fine, refused) => {
    for (const value of fine) expect(check(value, 'x')).toStrictEqual([]);
    for (const value of [...refused, bad])
      expect(check(value, 'x')).toMatchObject([{ field: 'x', rule: expect.stringMatching(/^must be /) as string }]);
  });

  it('asks for a required option that is absent', () => {
    const issues = checkOptions<{ after: number }>({}, { after: required(durationOrNever) });
    expect(issuesText(issues)).toMatch('after is undefined, but must be a number of milliseconds');
  });
});

describe('S20 what was meant', () => {
  it.each([
    ['grcae', 'grace'],
    ['tga', 'tag'],
    ['Every', 'every'],
    ['timeoutMs', 'timeout'],
    ['concurency', 'concurrency'],
    ['xyz', undefined],
  ])('by %s is %s', (given, meant) => {
    expect(didYouMean(given, ['every', 'tag', 'grace', 'timeout', 'concurrency'])).toBe(meant);
  });
});
