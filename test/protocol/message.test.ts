import { describe, expect, it } from 'vitest';
import { bodyMessage, isEndpointMissing, messageOf } from '../../src/protocol/message.js';
import { clip } from '../../src/protocol/text.js';
import { httpErrors, type HttpErrorForm } from '../fixtures/httpErrors.js';

describe('bodyMessage', () => {
  it.each<[string, HttpErrorForm]>(Object.entries(httpErrors))('S22 finds the words of %s', (_, { text, words }) => {
    expect(bodyMessage(text)).toBe(words);
  });

  it('S22 makes one short line', () => {
    expect(bodyMessage(`{"error":"a\\n\\tb${'x'.repeat(400)}"}`)).toBe(`a b${'x'.repeat(297)}…`);
  });
});

describe('messageOf', () => {
  it.each<[string, unknown, string | undefined]>([
    ['plain words', ' no ', 'no'],
    ['JSON in a string', '{"message":"inner"}', 'inner'],
    ['JSON in JSON in a string', '{"error":"{\\"error_message\\":\\"inner\\"}"}', 'inner'],
    ['JSON in a string without words', '{"code":1}', '{"code":1}'],
    ['the exception’s words before others', { message: 'outer', error_message: 'inner' }, 'inner'],
    ['error before message', { message: 'outer', error: 'inner' }, 'inner'],
    ['a title alone', { title: 'Unauthorized' }, 'Unauthorized'],
    ['a title with its detail', { title: 'Unauthorized', detail: 'no token' }, 'Unauthorized: no token'],
    ['an error in an error', { error: { message: 'inner' } }, 'inner'],
    ['an empty field before one with words', { error: '', message: 'words' }, 'words'],
    ['nothing in an object', {}, undefined],
    ['nothing in a list', ['words'], undefined],
    ['nothing in spaces', '  ', undefined],
    ['nothing in null', null, undefined],
    ['nothing in a number', 5, undefined],
  ])('finds %s', (_, value, words) => {
    expect(messageOf(value)).toBe(words);
  });
});

describe('clip', () => {
  it('shortens only texts that are too long', () => {
    expect([clip('abc', 3), clip('abcd', 3)]).toStrictEqual(['abc', 'abc…']);
    expect(clip('x'.repeat(301))).toBe(`${'x'.repeat(300)}…`);
  });
});

describe('isEndpointMissing', () => {
  it.each([
    ['{"detail":"endpoint not found"}', true],
    ['{"error":"Endpoint not found"}', true],
    ['{"error":"job not found"}', false],
    ['job not found', false],
    ['', false],
  ])('S18 tells a missing endpoint from a missing job: %s', (text, missing) => {
    expect(isEndpointMissing(text)).toBe(missing);
  });
});
