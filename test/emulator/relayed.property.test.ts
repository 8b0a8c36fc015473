import fc from 'fast-check';
import { expect, test } from 'vitest';
import { jsonItems, jsonMembers, withoutSpace } from '../../src/emulator/model/jsonParts.js';
import { RelayedJson, readMembers, relayed, valueOf, writeJson } from '../../src/emulator/model/relayed.js';
import { seed } from '../support/seed.js';

/** A JSON text with numbers of any spelling, odd strings, and white space between its tokens. */
const json = fc.letrec<{ value: string; list: string; object: string }>((tie) => {
  const space = fc.constantFrom('', ' ', '\n', '\t ');
  const between = (text: fc.Arbitrary<string>) => fc.tuple(space, text, space).map((parts) => parts.join(''));
  const digits = fc.stringMatching(/^(0|[1-9][0-9]{0,25})$/);
  const number = fc
    .tuple(
      fc.constantFrom('', '-'),
      digits,
      fc.stringMatching(/^(\.[0-9]{1,20})?$/),
      fc.stringMatching(/^([eE][+-]?[0-9]{1,2})?$/),
    )
    .map((parts) => parts.join(''));
  const text = fc
    .oneof(fc.string(), fc.constantFrom('"', '\\', '{"a":1.0}', ',', ':', '\\"', '__proto__'))
    .map((value) => JSON.stringify(value));
  const joined = (items: fc.Arbitrary<string>, open: string, close: string) =>
    fc
      .tuple(space, fc.array(between(items), { maxLength: 4 }))
      .map(([empty, all]) => `${open}${all.length > 0 ? all.join(',') : empty}${close}`);
  return {
    value: fc.oneof(
      { maxDepth: 4 },
      number,
      text,
      fc.constantFrom('true', 'false', 'null'),
      tie('list'),
      tie('object'),
    ),
    list: joined(tie('value'), '[', ']'),
    object: joined(
      fc.tuple(between(text), between(tie('value'))).map(([name, value]) => `${name}:${value}`),
      '{',
      '}',
    ),
  };
});

test('a text that is relayed keeps its value and every spelling, and loses only white space', () => {
  fc.assert(
    fc.property(json.value, (text) => {
      const read = relayed(text);
      expect(valueOf(read)).toEqual(JSON.parse(text));
      const written = writeJson({ output: read });
      expect(JSON.parse(written)).toEqual(JSON.parse(`{"output":${text}}`));
      if (read instanceof RelayedJson) expect(written).toBe(`{"output":${withoutSpace(text)}}`);
      else expect(JSON.stringify(read)).toBe(JSON.stringify(JSON.parse(text)));
    }),
    { seed, numRuns: 1_000 },
  );
});

test('a number is relayed as it is spelled', () => {
  for (const text of [
    '1.0',
    '-0',
    '1e5',
    '1E5',
    '0.10',
    '9007199254740993',
    '0.1234567890123456789',
    '0.0000001',
    '-0.0',
  ]) {
    expect(writeJson(relayed(text))).toBe(text);
    expect(writeJson(relayed(`{"a":[${text}]}`))).toBe(`{"a":[${text}]}`);
  }
});

test('the parts of a text are those that JSON.parse finds', () => {
  fc.assert(
    fc.property(json.list, json.object, (list, object) => {
      expect(jsonItems(list).map((item) => JSON.parse(item) as unknown)).toEqual(JSON.parse(list));
      const members = Object.fromEntries(
        [...jsonMembers(object)].map(([name, text]) => [name, JSON.parse(text) as unknown]),
      );
      expect(members).toEqual(JSON.parse(object));
    }),
    { seed, numRuns: 1_000 },
  );
});

test.each([
  ['digits', '9'.repeat(1_000_000)],
  ['a fraction', `0.${'0'.repeat(1_000_000)}`],
  ['a string', `"1.0${'\\\\'.repeat(500_000)}"`],
  ['spaces', `[${' '.repeat(1_000_000)}1.0]`],
  ['names', `{"a":1.0,${'"b":1,'.repeat(200_000)}"c":2}`],
  ['nesting', `${'['.repeat(3_000)}1.0${']'.repeat(3_000)}`],
])('a text of a million characters is read without running out of stack: %s', (_, text) => {
  expect(valueOf(relayed(text))).toEqual(JSON.parse(text));
  readMembers(`{"output":${text}}`);
});
