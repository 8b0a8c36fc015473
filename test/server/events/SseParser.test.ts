import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SseParser } from '../../../src/events/SseParser.js';
import { formatEvent } from '../../../src/server/events/formatEvent.js';

const parse = (...parts: readonly string[]) => {
  const parser = new SseParser();
  return parts.flatMap((part) => parser.push(part));
};

/** Cuts a text into parts at some places. */
const cut = (text: string, places: readonly number[]) => {
  const at = [...new Set(places.map((place) => place % (text.length + 1)))].sort((a, b) => a - b);
  return [...at, text.length].map((end, nth) => text.slice(at[nth - 1] ?? 0, end));
};

/** Texts of which many are lines, fields and their beginnings. */
const stream = fc
  .array(
    fc.oneof(fc.constantFrom('\n', '\r', '\r\n', ':', ' ', 'data', 'data: ', 'event:', 'id: ', 'id:\0'), fc.string()),
  )
  .map((parts) => parts.join(''));

/** What the HTML standard says, word by word, over a whole text. */
const byTheBook = (text: string) => {
  const events: object[] = [];
  let [type, data, id] = ['', '', undefined as string | undefined];
  const lines = text.replaceAll('\r\n', '\n').replaceAll('\r', '\n').split('\n');
  for (const line of lines.slice(0, -1)) {
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (line === '') {
      if (data !== '') events.push({ type: type || 'message', data: data.replace(/\n$/, ''), position: id });
      [type, data] = ['', ''];
    } else if (field === 'event') type = value;
    else if (field === 'data') data += `${value}\n`;
    else if (field === 'id' && !value.includes('\0')) id = value;
  }
  return events;
};

describe('the parser of server-sent events', () => {
  test('reads what the standard says, however the text is cut', () => {
    fc.assert(
      fc.property(stream, fc.array(fc.nat()), (text, places) => {
        expect(parse(...cut(text, places))).toEqual(byTheBook(text));
      }),
      { numRuns: 2_000 },
    );
  });

  test('reads what the server writes, however it is cut', () => {
    const event = fc.record({
      type: fc.constantFrom('job', 'hello'),
      data: fc.json(),
      id: fc.constantFrom('a.1', 'a.2'),
    });
    fc.assert(
      fc.property(fc.array(event), fc.array(fc.nat()), (events, places) => {
        const text = events.map(({ type, data, id }) => formatEvent(type, data, id)).join(':\n\n');
        const read = events.map(({ type, data, id }) => ({ type, data, position: id }));
        expect(parse(...cut(text, places))).toEqual(read);
      }),
    );
  });

  test('an event that is not at its end has no position yet: a break before it has it sent again', () => {
    const parser = new SseParser();
    expect(parser.push('id: a.1\ndata: 1\n\nid: a.2\ndata: 2\n')).toEqual([
      { type: 'message', data: '1', position: 'a.1' },
    ]);
  });

  test('an event without an end is not kept for ever', () => {
    const parser = new SseParser();
    const part = 'x'.repeat(1_000_000);
    for (let nth = 0; nth < 4; nth++) parser.push(part);
    expect(() => parser.push(part)).toThrow(RangeError);
    const other = new SseParser();
    for (let nth = 0; nth < 3; nth++) other.push(`data: ${part}\n`);
    expect(() => other.push(`data: ${part}\n`)).toThrow(RangeError);
  });
});
