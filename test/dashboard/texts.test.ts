import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { age, counted, duration } from '../../src/dashboard/format.js';
import { inputProblem } from '../../src/dashboard/inputProblem.js';
import { tidyJson } from '../../src/dashboard/tidyJson.js';
import { seed } from '../support/seed.js';

describe('tidyJson', () => {
  test('indents as JSON.stringify does, whatever the value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const tidy = JSON.stringify(value, null, 2);
        expect(tidyJson(JSON.stringify(value))).toBe(tidy);
        expect(tidyJson(tidy)).toBe(tidy);
      }),
      { seed },
    );
  });

  test('keeps numbers and strings as they are written', () => {
    expect(tidyJson('{"n":9007199254740993,"m":1.0e5,"s":"a { \\u0041 \\" }"}')).toBe(
      '{\n  "n": 9007199254740993,\n  "m": 1.0e5,\n  "s": "a { \\u0041 \\" }"\n}',
    );
  });

  test.each(['{"a":"is cut', '[[1,', ']]]{', '', '"\\'])('throws for no text: %j', (text) => {
    expect(tidyJson(text).replaceAll(/\s/g, '')).toBe(text.replaceAll(/\s/g, ''));
  });
});

test.each([
  [0, '0 ms', 'now'],
  [-5, '0 ms', 'now'],
  [999, '999 ms', 'now'],
  [1_000, '1.0 s', '1 s'],
  [59_900, '59.9 s', '59 s'],
  [185_000, '3 m 05 s', '3 m'],
  [7_500_000, '2 h 05 m', '2 h'],
])('%d milliseconds are %s, and %s ago', (ms, long, short) => {
  expect([duration(ms), age(ms)]).toEqual([long, short]);
});

test('counts have a noun of their number', () => {
  expect([counted(0, 'job'), counted(1, 'job'), counted(12_345, 'job')]).toEqual(['0 jobs', '1 job', '12,345 jobs']);
});

test.each([
  ['{"a":1}', ''],
  ['{}', ''],
  ['', 'The input is empty. An input without members is {}.'],
  ['[1]', 'The input must be a JSON object, such as {"prompt": "hello"}.'],
  ['null', 'The input must be a JSON object, such as {"prompt": "hello"}.'],
  ['"text"', 'The input must be a JSON object, such as {"prompt": "hello"}.'],
])('an input %j: %s', (text, problem) => {
  expect(inputProblem(text)).toBe(problem);
});

test('an input that is no JSON says where', () => {
  expect(inputProblem('{"a": }')).toMatch(/^Not JSON: .+/);
});
