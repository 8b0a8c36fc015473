import fc from 'fast-check';
import { expect, test } from 'vitest';
import { exceeds } from '../../src/emulator/model/bytes.js';
import { utf8Length } from '../../src/protocol/utf8Length.js';

const encoded = (text: string) => new TextEncoder().encode(text).length;

/** Any characters, and halves of surrogate pairs. */
const codeUnit = fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit));
const character = fc.string({ unit: 'binary', minLength: 1, maxLength: 1 });
const texts = fc.string({ unit: fc.oneof(codeUnit, character) });

test('S20 a text is as long as its encoding', () => {
  fc.assert(
    fc.property(texts, (text) => {
      expect(utf8Length(text)).toBe(encoded(text));
    }),
  );
});

test('the emulator refuses a text that is one byte too long, and no other', () => {
  fc.assert(
    fc.property(texts, (text) => {
      const length = encoded(text);
      expect([exceeds(text, length), exceeds(text, length - 1)]).toEqual([false, true]);
    }),
  );
});
