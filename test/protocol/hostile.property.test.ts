import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RunpodError } from '../../src/errors/RunpodError.js';
import { toHttpError } from '../../src/errors/toHttpError.js';
import { parseFailure } from '../../src/protocol/failure.js';
import { parseHealth, parsePurge } from '../../src/protocol/health.js';
import { sameJson } from '../../src/protocol/json.js';
import { bodyMessage, isEndpointMissing, isServiceAnswer, messageOf } from '../../src/protocol/message.js';
import { parseSnapshot } from '../../src/protocol/snapshot.js';
import { parseStream } from '../../src/protocol/streamReply.js';
import { clip, clipLines } from '../../src/protocol/text.js';
import type { JobFailure } from '../../src/types/JobFailure.js';
import type { JobSnapshot } from '../../src/types/JobSnapshot.js';
import { anyHostileJson, anyHostileText, hostileNames, hostileTexts } from '../support/hostile.js';
import { seed } from '../support/seed.js';

const CONTROLS = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/u;
const redact = (text: string) => text;

/** What the parsers make of a text for people. */
function linesFor(text: string): string[] {
  const reply = { status: 400, headers: { 'x-request-id': text, location: text }, text };
  const error = toHttpError(reply, { operation: 'status', endpointId: 'e' }, { now: 0, redact, advise: true });
  const redirect = toHttpError({ ...reply, status: 302 }, { operation: 'run' }, { now: 0, redact, advise: true });
  const failed = parseSnapshot(JSON.stringify({ id: 'j', status: 'FAILED', error: text })) as {
    value: JobSnapshot & { error: JobFailure };
  };
  const issues = [parseSnapshot(text), parseStream(text), parseHealth(text), parsePurge(text)];
  return [
    ...[bodyMessage(text) ?? '', clip(text), error.message, error.requestId ?? '', redirect.message],
    ...failuresOf(failed.value.error),
    ...issues.flatMap((parsed) => ('issue' in parsed ? [parsed.issue] : [])),
  ];
}

function failuresOf(failure: JobFailure): string[] {
  const { raw: _raw, traceback: _traceback, ...lines } = failure;
  return Object.values(lines);
}

function expectForPeople(text: string): void {
  for (const line of linesFor(text)) {
    expect(line.length).toBeLessThanOrEqual(2_001);
    expect(line).not.toMatch(CONTROLS);
  }
  const { traceback = '' } = parseFailure(text);
  expect(traceback.length).toBeLessThanOrEqual(16_001);
  expect(traceback.replace(/[\n\t]/g, '')).not.toMatch(CONTROLS);
}

describe('S22 S25 whatever a text is, the parsers throw nothing, and what they make of it is short and has no controls', () => {
  test.each(hostileNames)('%s, in 1 MB', (name) => {
    expectForPeople(hostileTexts[name](1_000_000));
  });

  test('any text', () => {
    fc.assert(fc.property(anyHostileText(20_000), expectForPeople), { seed, numRuns: 300 });
  });

  test('any JSON', () => {
    fc.assert(
      fc.property(anyHostileJson, (value) => {
        expectForPeople(JSON.stringify(value));
        for (const line of failuresOf(parseFailure(value))) {
          expect(line.length).toBeLessThanOrEqual(1_001);
          expect(line).not.toMatch(CONTROLS);
        }
        expect(sameJson(value, JSON.parse(JSON.stringify(value)))).toBe(true);
        isEndpointMissing(JSON.stringify(value));
        isServiceAnswer({ headers: {}, text: JSON.stringify(value) });
        messageOf(value);
      }),
      { seed, numRuns: 500 },
    );
  });

  test('any JSON with numbers of any size: those that are shown are counts', () => {
    const numbers = fc.constantFrom('1e999', '-1', '-1e999', '1.5', '2147483648', '1e300', '"7"', 'null', '0', '12');
    fc.assert(
      fc.property(numbers, numbers, (first, second) => {
        const snapshot = parseSnapshot(
          `{"id":"j","status":"COMPLETED","delayTime":${first},"executionTime":${second},"retries":${first}}`,
        );
        const health = parseHealth(`{"jobs":{"inQueue":${first},"more":${second}},"workers":{"running":${second}}}`);
        const purge = parsePurge(`{"removed":${first},"status":${second}}`);
        const { delayTime, executionTime, retries } = (snapshot as { value: JobSnapshot }).value;
        const { jobs, workers } = (health as { value: { jobs: object; workers: object } }).value;
        const removed = 'value' in purge ? purge.value.removed : undefined;
        const counts = [delayTime, executionTime, retries, removed, ...Object.values(jobs), ...Object.values(workers)];
        for (const count of counts as (number | undefined)[]) {
          if (count === undefined) continue;
          expect(Number.isInteger(count) && count >= 0 && count < 2 ** 31).toBe(true);
        }
      }),
      { seed },
    );
  });
});

describe('S25 the work that a parser does is bounded', () => {
  /** An object that counts how often its members are read. */
  function counted(value: object): { readonly value: object; readonly reads: () => number } {
    let reads = 0;
    const wrap = (inner: object): object =>
      new Proxy(inner, {
        get: (target, key) => {
          reads++;
          const member: unknown = Reflect.get(target, key);
          return typeof member === 'object' && member !== null ? wrap(member) : member;
        },
      });
    return { value: wrap(value), reads: () => reads };
  }

  test.each([10, 30, 1_000, 20_000])('words in an error that is nested %d deep', (depth) => {
    for (const field of ['detail', 'error', 'message']) {
      const error = counted(JSON.parse(`{"${field}":`.repeat(depth) + '{}' + '}'.repeat(depth)) as object);
      messageOf(error.value);
      expect(error.reads()).toBeLessThan(700);
    }
  });

  test('words that lie deeper than ten levels are not looked for', () => {
    const nested = (depth: number) => JSON.parse('{"error":'.repeat(depth) + '"words"' + '}'.repeat(depth)) as unknown;
    expect(messageOf(nested(10))).toBe('words');
    expect(messageOf(nested(11))).toBeUndefined();
  });

  test('JSON in a text of more than 100 000 characters is not opened: the text is the words', () => {
    const text = (length: number) => JSON.stringify({ message: 'words', more: 'x'.repeat(length) });
    expect(messageOf(text(1_000))).toBe('words');
    expect(messageOf(text(100_000))).toBe(text(100_000));
  });

  test('nor is it in the error of a job', () => {
    const text = (length: number) => JSON.stringify({ error_message: 'words', more: 'x'.repeat(length) });
    expect(parseFailure(text(1_000)).message).toBe('words');
    expect(parseFailure(text(100_000)).message).toMatch(/^\{"error_message":"words","more":"x+…$/);
  });

  test('an error of a job without words is shown by its beginning, however deep it is', () => {
    const error = JSON.parse('{"a":'.repeat(20_000) + '1' + '}'.repeat(20_000)) as unknown;
    expect(parseFailure(error).message).toBe('{"a":{"a":{"a":"…"}}}');
  });

  test('words in an error that holds one object on millions of paths', () => {
    let value: object = {};
    for (let depth = 0; depth < 40; depth++) value = { detail: value, error: value, message: value };
    const error = counted(value);
    expect(messageOf(error.value)).toBeUndefined();
    expect(error.reads()).toBeLessThan(700);
  });

  test('values that hold one object on millions of paths count as different', () => {
    const shared = () => {
      let value: object = { end: 1 };
      for (let depth = 0; depth < 40; depth++) value = { a: value, b: value };
      return value;
    };
    expect(sameJson(shared(), shared())).toBe(false);
  });

  test('values are compared to a depth of 500; deeper ones count as different', () => {
    const nested = (depth: number) => JSON.parse('['.repeat(depth) + ']'.repeat(depth)) as unknown;
    expect(sameJson(nested(500), nested(500))).toBe(true);
    expect(sameJson(nested(1_000), nested(1_000))).toBe(false);
  });

  test('values that are nested 100 000 deep count as different', () => {
    const deep = () => JSON.parse('['.repeat(100_000) + ']'.repeat(100_000)) as unknown;
    expect(sameJson(deep(), deep())).toBe(false);
  });

  test('JSON in strings is opened ten times at most', () => {
    let text = '"x"';
    let opened = 0;
    const original = JSON.parse;
    for (let depth = 0; depth < 14; depth++) text = JSON.stringify({ error: text });
    JSON.parse = (...args) => {
      opened++;
      return original(...args) as unknown;
    };
    try {
      messageOf(text);
    } finally {
      JSON.parse = original;
    }
    expect(opened).toBeLessThanOrEqual(11);
  });
});

describe('S25 a parser of the caller’s own', () => {
  const throwing = new Proxy(
    {},
    {
      get: () => {
        throw new Error('no');
      },
      ownKeys: () => {
        throw new Error('no');
      },
    },
  );

  test.each<[string, unknown]>([
    ['throws in each member', throwing],
    ['gives a list', []],
    ['gives a function', () => 1],
    ['gives a date', new Date(0)],
    ['gives a map', new Map([['id', 'j']])],
    ['gives a promise', Promise.resolve({ id: 'j', status: 'COMPLETED' })],
    ['gives nothing', undefined],
    ['gives an object without a prototype', Object.create(null)],
    ['gives symbols', { id: Symbol('j'), status: Symbol('s') }],
  ])('that %s gives an issue', (_, value) => {
    const parse = () => value;
    expect(parseSnapshot('x', { parse })).toEqual({ issue: expect.any(String) as string });
    expect(parseStream('x', { parse })).toEqual({ issue: expect.any(String) as string });
  });

  test('that gives an error whose members throw gives an issue', () => {
    const parse = () => ({ id: 'j', status: 'FAILED', error: throwing });
    expect(parseSnapshot('x', { parse })).toEqual({ issue: 'cannot be read' });
  });

  test('that gives an error with itself inside gives a failure without words', () => {
    const error: Record<string, unknown> = { code: 1n };
    error.detail = error;
    error.error = error;
    expect(parseFailure(error)).toEqual({ message: 'an object that cannot be shown', raw: error });
  });

  test('that makes dates and maps: they count as different, since their values are not members', () => {
    expect(sameJson({ at: new Date(1) }, { at: new Date(1) })).toBe(false);
    expect(sameJson({ at: new Map() }, { at: {} })).toBe(false);
    expect(sameJson(throwing, {})).toBe(false);
  });
});

describe('S25 a text for people', () => {
  test.each([
    ['a\u0000b\u0007c', 'a b c'],
    ['\u001b[31mred\u001b[0m', '[31mred [0m'],
    ['one\r\ntwo\u2028three', 'one two three'],
    ['\u009b2Jx', '2Jx'],
    ['abc\u202efed\u2066x', 'abc fed x'],
    ['\ud800x\udc00', '\ufffdx\ufffd'],
    ['😀 naïve 漢字', '😀 naïve 漢字'],
    ['👨‍👩‍👧', '👨‍👩‍👧'],
  ])('%j is shown as %j', (text, shown) => {
    expect(clip(text)).toBe(shown);
  });

  test('is the message of every error, whoever makes it', () => {
    const { message } = new RunpodError(`no\u001b[31m${'x'.repeat(1_000_000)}`, { operation: 'status' });
    expect(message).toMatch(/^no \[31mx+…$/);
    expect(message.length).toBeLessThanOrEqual(2_001);
  });

  test('is not cut within a surrogate pair, and says that it was cut', () => {
    expect(clip('ab😀', 3)).toBe('ab…');
    expect(clip('a '.repeat(20), 5)).toBe('a a a…');
    expect(clip(`a${' '.repeat(100)}b`, 5)).toBe('a…');
  });

  test('of several lines keeps line feeds and tabs', () => {
    expect(clipLines('a\r\n\tb\u001b[0m\rc', 100)).toBe('a\n\tb [0m\nc');
    expect(clipLines('abc', 2)).toBe('ab…');
  });
});
