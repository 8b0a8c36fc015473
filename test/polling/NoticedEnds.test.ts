import { expect, test } from 'vitest';
import { NoticedEnds } from '../../src/polling/NoticedEnds.js';

/** Notices of so many jobs, each the first that is heard of its end. */
const noticed = (count: number, ends = new NoticedEnds()) => {
  for (let nth = 0; nth < count; nth++) ends.noticed(`noticed-${nth}`, true);
  return ends;
};

test('notices are relied on after eight in a row', () => {
  expect([noticed(7).areAll, noticed(8).areAll]).toEqual([false, true]);
});

test('one notice that comes again and again counts once', () => {
  const ends = new NoticedEnds();
  ends.noticed('job', true);
  for (let nth = 0; nth < 20; nth++) ends.noticed('job', false);
  expect(ends.areAll).toBe(false);
});

test('a notice counts that comes after a read has told of the end', () => {
  const ends = new NoticedEnds();
  for (let nth = 0; nth < 8; nth++) {
    ends.read(`job-${nth}`, nth * 1_000);
    ends.noticed(`job-${nth}`, false);
  }
  expect(ends.areAll).toBe(true);
});

test('an end that a read tells of does not count for ten seconds: its notice may be on its way', () => {
  const ends = noticed(8);
  ends.read('job', 0);
  ends.read('other', 9_999);
  expect(ends.areAll).toBe(true);
  ends.read('another', 10_000);
  expect(ends.areAll).toBe(false);
});

test('after an end without a notice, it takes eight in a row again', () => {
  const ends = noticed(8);
  ends.read('job', 0);
  ends.read('other', 10_000);
  expect(noticed(7, ends).areAll).toBe(false);
  expect(noticed(1, ends).areAll).toBe(true);
});

test('an end whose notice came late, but within ten seconds, is none without', () => {
  const ends = noticed(8);
  ends.read('job', 0);
  ends.noticed('job', false);
  ends.read('other', 20_000);
  expect(ends.areAll).toBe(true);
});
