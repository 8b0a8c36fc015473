import { describe, expect, it } from 'vitest';
import { recoverChunks } from '../../src/sources/recoverChunks.js';
import { streamCursor, type StreamCursor } from '../../src/sources/StreamCursor.js';
import { job, life } from '../fixtures/snapshots.js';

const completed = (output?: unknown) => job('COMPLETED', output === undefined ? {} : { output });

function cursorAt(delivered: unknown[], pending: unknown[] = []): StreamCursor {
  return { count: delivered.length, delivered, pending, gap: 'possibly' };
}

describe('recoverChunks', () => {
  it.each<[string, unknown[], unknown[], unknown[], unknown[]]>([
    ['what was lost', ['a', 'b', 'c'], ['a'], [], ['b', 'c']],
    ['what was lost before the chunks that were held', ['a', 'b', 'c'], ['a'], ['c'], ['b', 'c']],
    ['what was lost between and after them', ['a', 'b', 'c', 'd', 'e'], [], ['b', 'd'], ['a', 'b', 'c', 'd', 'e']],
    ['nothing where nothing was lost', ['a', 'b'], ['a'], ['b'], ['b']],
    ['nothing where all was delivered', ['a', 'b'], ['a', 'b'], [], []],
    ['chunks that are alike', [1, 1, 1], [1], [1], [1, 1]],
    ['objects, whatever the order of their keys', [{ a: 1, b: 2 }, { c: 3 }], [{ b: 2, a: 1 }], [], [{ c: 3 }]],
    ['falsy chunks', [null, 0, '', false], [null], [false], [0, '', false]],
  ])('S16 finds %s', (_, output, delivered, pending, rest) => {
    expect(recoverChunks(completed(output), cursorAt(delivered, pending))).toStrictEqual(rest);
  });

  it.each<[string, unknown, unknown[], unknown[]]>([
    ['no output', undefined, [], []],
    ['an output that is no list', 'abc', [], []],
    ['an empty output, which a worker leaves that does not aggregate', [], [], []],
    ['an empty output, with chunks delivered', [], ['a'], []],
    ['an output that begins otherwise', ['x', 'b'], ['a'], []],
    ['an output that is shorter than what was delivered', ['a'], ['a', 'b'], []],
    ['an output that lacks a held chunk', ['a', 'b'], ['a'], ['c']],
    ['an output that has the held chunks in another order', ['a', 'b', 'c'], ['a'], ['c', 'b']],
    ['an output with fewer equal chunks than are held', ['a', 'b'], ['a'], ['b', 'b']],
    ['a held chunk only among those delivered', ['a', 'b'], ['a'], ['a']],
  ])('S16 finds nothing in %s', (_, output, delivered, pending) => {
    expect(recoverChunks(completed(output), cursorAt(delivered, pending))).toBeUndefined();
  });

  it('S16 finds nothing where the delivered chunks are not known', () => {
    expect(recoverChunks(completed(['a', 'b']), { ...cursorAt([]), count: 1 })).toBeUndefined();
  });

  it.each([life.f, life.x, life.t, life.p])('S16 finds nothing in a job that is $status', (snapshot) => {
    const chunks = { ...snapshot, output: ['a', 'b'] };
    expect(recoverChunks(chunks, cursorAt(['a']))).toBeUndefined();
  });

  it('begins with a cursor at the beginning', () => {
    expect(streamCursor()).toStrictEqual({ count: 0, delivered: [], pending: [] });
    expect(streamCursor().delivered).not.toBe(streamCursor().delivered);
  });
});
