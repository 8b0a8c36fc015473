import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { StreamLog, type StreamPosition } from '../../../src/server/streams/StreamLog.js';
import { ChunkDelivery } from '../../../src/sources/ChunkDelivery.js';
import { streamCursor } from '../../../src/sources/StreamCursor.js';
import { parseStream } from '../../../src/protocol/streamReply.js';
import { of } from 'rxjs';

const answer = (...chunks: readonly unknown[]) => ({
  text: JSON.stringify({ status: 'IN_PROGRESS', stream: chunks.map((output) => ({ output })) }),
  status: 'IN_PROGRESS',
  count: chunks.length,
});
const last = { text: '{"status":"COMPLETED","stream":[]}', status: 'COMPLETED', count: 0 };

const START: StreamPosition = { chunks: 0 };
const read = (log: StreamLog, position: StreamPosition) =>
  JSON.parse(log.answerFor(position).text) as {
    log: string;
    from: number;
    before: number;
    gap?: string;
    status: string;
    replies: { stream: { output: unknown }[] }[];
  };
const outputs = (log: StreamLog, position: StreamPosition) =>
  read(log, position).replies.flatMap(({ stream }) => stream.map(({ output }) => output));

describe('what a page gets', () => {
  test('all chunks, from the one that it has not had', () => {
    const log = new StreamLog(0);
    log.add(answer(1, 2));
    log.add(answer(3));
    expect(read(log, START)).toMatchObject({ log: log.id, from: 0, before: 0, status: 'IN_PROGRESS' });
    expect(outputs(log, START)).toEqual([1, 2, 3]);
    expect(outputs(log, { chunks: 2 })).toEqual([3]);
    expect(outputs(log, { chunks: 2, log: log.id, from: 2 })).toEqual([3]);
    expect(log.hasNewsFor({ chunks: 3 })).toBe(false);
    expect(read(log, { chunks: 3 })).toMatchObject({ from: 3, before: 3, replies: [] });
  });

  test('in the middle of an answer of the service, that answer whole', () => {
    const log = new StreamLog(0);
    log.add(answer(1, 2, 3));
    expect(read(log, { chunks: 2 })).toMatchObject({ from: 0, before: 0 });
    expect(outputs(log, { chunks: 2 })).toEqual([1, 2, 3]);
  });

  test('a gap by itself, with what follows it', () => {
    const log = new StreamLog(0);
    log.add(answer(1));
    log.addGap('possibly');
    log.add(answer(2));
    expect(outputs(log, START)).toEqual([1]);
    expect(read(log, { chunks: 1, log: log.id, from: 1 })).toMatchObject({ from: 1, before: 1, gap: 'possibly' });
    expect(log.end).toEqual({ chunks: 2, log: log.id, from: 3 });
    expect(log.hasNewsFor({ chunks: 2, log: log.id, from: 2 })).toBe(true);
  });

  test('that the stream is over, as often as it asks', () => {
    const log = new StreamLog(0);
    log.add(answer(1));
    log.endWith(last);
    for (let nth = 0; nth < 2; nth++)
      expect(read(log, { chunks: 1, log: log.id, from: 1 })).toMatchObject({
        from: 1,
        status: 'COMPLETED',
        replies: [{}],
      });
    expect(log.answerFor(START)).toMatchObject({ isLast: true });
  });

  test('of a log that dropped its oldest answers, those that are left, and where they are', () => {
    const log = new StreamLog(0);
    for (let nth = 1; nth <= 10; nth++) log.add(answer(nth));
    log.endWith(last);
    log.drop(0);
    expect(read(log, START)).toMatchObject({ from: 10, before: 10, status: 'COMPLETED' });
    expect(log.size).toBe(last.text.length + 200);
  });

  test('of what some reader has had, as much as is to be kept, and all that none has had', () => {
    const log = new StreamLog(0);
    for (let nth = 0; nth < 10; nth++) log.add(answer(nth));
    log.noteHad({ chunks: 4, log: log.id, from: 4 });
    expect([log.isAheadBy(log.size / 2), log.isAheadBy(log.size)]).toEqual([true, false]);
    log.dropHad(0);
    expect(read(log, START)).toMatchObject({ from: 4, before: 4 });
    log.noteHad(log.end);
    expect(log.isAheadBy(0)).toBe(false);
    log.dropHad(log.size / 2);
    expect(read(log, START)).toMatchObject({ from: 7, before: 7 });
  });

  test('of many small answers, fewer than their texts alone would leave', () => {
    let size = 0;
    const log = new StreamLog(0, (by) => (size += by));
    for (let nth = 0; nth < 1_000; nth++) log.add(answer('.'));
    expect(log.size).toBe(1_000 * (answer('.').text.length + 200));
    log.drop(50_000);
    expect(outputs(log, START).length).toBeLessThan(250);
    expect(size).toBe(log.size);
  });

  test('of a page that comes from another log, everything', () => {
    const log = new StreamLog(0);
    log.add(answer(1));
    expect(outputs(log, { chunks: 7, log: 'other', from: 7 })).toEqual([1]);
    expect(outputs(log, { chunks: 7 })).toEqual([1]);
  });

  test('at most a million characters at once, but a whole answer of the service', () => {
    const log = new StreamLog(0);
    const large = 'x'.repeat(700_000);
    for (let nth = 0; nth < 3; nth++) log.add(answer(large));
    expect(outputs(log, START)).toHaveLength(1);
    const larger = new StreamLog(0);
    larger.add(answer('x'.repeat(2_000_000)));
    expect(outputs(larger, START)).toHaveLength(1);
  });
});

test('whatever of the answers comes through, in whatever order they are asked for, a page has every chunk once, in order', () => {
  const step = fc.oneof(
    fc.record({ add: fc.integer({ min: 1, max: 4 }) }),
    fc.record({ gap: fc.constant(true) }),
    // An answer comes through, or is lost; one that was asked for before comes late.
    fc.record({ ask: fc.constantFrom('through', 'lost', 'late') }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const log = new StreamLog(0);
      const cursor = streamCursor();
      const delivery = new ChunkDelivery(cursor, {
        onGap: 'mark',
        check: (chunk) => of(chunk),
        context: { operation: 'stream' },
      });
      const expected: unknown[] = [];
      const got: unknown[] = [];
      const late: string[] = [];
      let count = 0;
      let isGap = false;
      const take = (text: string) => {
        const parsed = parseStream(text);
        if (!('value' in parsed)) throw new Error(parsed.issue);
        delivery.add(parsed.value);
        delivery.deliver().subscribe((event) => got.push(event.type === 'gap' ? 'gap' : event.chunk));
      };
      const ask = () =>
        log.answerFor({ chunks: cursor.count, ...(cursor.place && { log: cursor.place.log, from: cursor.place.at }) })
          .text;
      for (const one of steps) {
        if ('add' in one) {
          const chunks = Array.from({ length: one.add }, () => count++);
          if (isGap) expected.push('gap');
          isGap = false;
          expected.push(...chunks);
          log.add(answer(...chunks));
        } else if ('gap' in one) {
          isGap = true;
          log.addGap('possibly');
        } else if (one.ask === 'through') take(ask());
        else if (one.ask === 'lost') late.push(ask());
        else if (cursor.place) take(late.pop() ?? ask());
      }
      if (isGap) expected.push('gap');
      log.endWith(last);
      while (
        !log.answerFor({ chunks: 0, ...(cursor.place && { log: cursor.place.log, from: cursor.place.at }) }).isLast
      )
        take(ask());
      take(ask());
      expect(got).toEqual(expected);
    }),
    { numRuns: 500 },
  );
});
