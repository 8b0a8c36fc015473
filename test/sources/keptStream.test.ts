import { of } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { ChunkDelivery } from '../../src/sources/ChunkDelivery.js';
import { newsFor, placeAfter, type KeptReply, type News } from '../../src/sources/keptStream.js';
import { streamCursor } from '../../src/sources/StreamCursor.js';

const reply = (
  from: number,
  before: number,
  chunks: readonly unknown[],
  gap?: 'possibly' | 'certainly',
): KeptReply => ({
  status: 'IN_PROGRESS',
  chunks,
  kept: { log: 'a', from, before, ...(gap && { gap }) },
});
const at = (place: number) => ({ log: 'a', at: place });

describe('S16 what an answer brings to a reader that has a place', () => {
  test.each<[string, KeptReply, number, News]>([
    ['what comes next', reply(2, 2, ['c', 'd']), 2, { chunks: ['c', 'd'] }],
    ['the part of it that is new', reply(2, 2, ['c', 'd']), 3, { chunks: ['d'] }],
    ['nothing, where it has had all', reply(2, 2, ['c', 'd']), 4, { chunks: [] }],
    ['nothing of what is long past', reply(2, 2, ['c', 'd']), 9, { chunks: [] }],
    ['a gap, where chunks are dropped', reply(5, 5, ['f']), 3, { chunks: ['f'], loss: 'certainly', before: 5 }],
    ["the server's gap", reply(2, 2, ['c'], 'possibly'), 2, { chunks: ['c'], loss: 'possibly' }],
    ["the server's gap once", reply(2, 2, ['c', 'd'], 'possibly'), 3, { chunks: ['c', 'd'] }],
    ['what comes after the gap', reply(2, 2, ['c', 'd'], 'possibly'), 4, { chunks: ['d'] }],
  ])('%s', (_, given, place, expected) => {
    expect(newsFor(given, at(place), 0)).toEqual(expected);
  });

  test('of another log: all of it, after a gap', () => {
    expect(newsFor(reply(0, 0, ['x']), { log: 'b', at: 1 }, 1)).toEqual({ chunks: ['x'], loss: 'possibly' });
  });
});

describe('S16 what an answer brings to a reader that knows how many chunks it has had', () => {
  test.each<[string, KeptReply, number, News]>([
    ['what comes next', reply(7, 2, ['c', 'd']), 2, { chunks: ['c', 'd'] }],
    ['the part of it that is new', reply(7, 2, ['c', 'd']), 3, { chunks: ['d'] }],
    ['a gap, where chunks are dropped', reply(7, 5, ['f']), 3, { chunks: ['f'], loss: 'certainly', before: 5 }],
    ["the server's gap", reply(2, 2, ['c'], 'certainly'), 2, { chunks: ['c'], loss: 'certainly' }],
    ["not the server's gap that it has passed", reply(2, 2, ['c', 'd'], 'possibly'), 3, { chunks: ['d'] }],
    ['all of a log that began later', reply(0, 0, ['x']), 3, { chunks: ['x'], loss: 'possibly' }],
  ])('%s', (_, given, received, expected) => {
    expect(newsFor(given, undefined, received)).toEqual(expected);
  });
});

test('S16 a reader of another log counts on after those that others have had, so that it gets none twice later', () => {
  expect(newsFor(reply(0, 5, ['f']), { log: 'b', at: 3 }, 3)).toEqual({ chunks: ['f'], loss: 'possibly', before: 5 });
});

test('a gap takes a place', () => {
  expect(placeAfter(reply(2, 2, ['c'], 'possibly'))).toEqual(at(4));
});

/** A reader of kept streams, what it gives, and its cursor. */
function reader() {
  const cursor = streamCursor();
  const got: unknown[] = [];
  const delivery = new ChunkDelivery(cursor, {
    onGap: 'mark',
    check: (chunk) => of(chunk),
    context: { operation: 'stream' },
  });
  /** Takes an answer of a log that begins at its first chunk, or after so many that others have had. */
  const add = (log: string, chunks: readonly unknown[], before = 0) => {
    delivery.add({ status: 'IN_PROGRESS', chunks, kept: { log, from: before, before } });
  };
  const deliver = () => {
    delivery.deliver().subscribe((event) => got.push(event.type === 'gap' ? 'gap' : event.chunk));
  };
  const take = (log: string, ...chunks: readonly unknown[]) => {
    add(log, chunks);
    deliver();
  };
  return { cursor, delivery, got, add, deliver, take };
}

test('S16 two servers that answer in turn, each from its own log, give no chunk twice', () => {
  const { got, take } = reader();
  take('a', 1);
  take('b', 2);
  take('a', 1, 3);
  take('b', 2);
  take('b', 2, 4);
  expect(got).toEqual([1, 'gap', 2, 'gap', 3, 4]);
});

test('S16 three servers that answer in turn give no chunk twice: the last place in each log counts', () => {
  const { cursor, got, take } = reader();
  take('a', 1);
  take('b', 2);
  take('c', 3);
  take('b', 2, 4);
  take('a', 1, 5);
  take('b', 2, 4);
  take('a', 1, 5);
  take('c', 3);
  expect(got).toEqual([1, 'gap', 2, 'gap', 3, 'gap', 4, 'gap', 5]);
  expect(cursor.place).toEqual({ log: 'c', at: 1 });
  expect(cursor.formerPlaces).toEqual([
    { log: 'b', at: 2 },
    { log: 'a', at: 2 },
  ]);
});

test('S16 one server is no former place of its own, and an answer that comes late takes nothing back', () => {
  const { cursor, got, take } = reader();
  take('a', 1, 2);
  take('a', 1);
  take('a', 1, 2, 3);
  expect(got).toEqual([1, 2, 3]);
  expect(cursor.formerPlaces).toBeUndefined();
});

test('S16 a reader whose chunks were dropped counts on after them, and does not count less after that', () => {
  const { cursor, got, add, deliver, take } = reader();
  take('a', 1);
  add('a', [7], 6);
  deliver();
  expect(got).toEqual([1, 'gap', 7]);
  expect(cursor.count).toBe(7);
  add('a', [8], 7);
  expect(cursor.next).toBe(6);
});

test('S16 chunks that are received and not given yet count as received', () => {
  const { delivery, got, add, deliver } = reader();
  // Of a server that keeps nothing.
  delivery.add({ status: 'IN_PROGRESS', chunks: [1, 2] });
  add('a', [1, 2, 3]);
  deliver();
  expect(got).toEqual([1, 2, 3]);
});
