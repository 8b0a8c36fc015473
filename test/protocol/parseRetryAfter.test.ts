import { describe, expect, it } from 'vitest';
import { parseRetryAfter } from '../../src/protocol/parseRetryAfter.js';

const date = 'Wed, 21 Oct 2015 07:28:00 GMT';
const at = Date.parse(date);

describe('parseRetryAfter', () => {
  it.each<[string, Readonly<Record<string, string>>, number | undefined]>([
    ['no header', {}, undefined],
    ['an empty one', { 'retry-after': ' ' }, undefined],
    ['seconds', { 'retry-after': '7' }, 7_000],
    ['spaces around', { 'retry-after': ' 7 ' }, 7_000],
    ['parts of a second', { 'retry-after': '0.5' }, 500],
    ['no time', { 'retry-after': '0' }, 0],
    ['a date, by the client’s clock', { 'retry-after': date }, 5_000],
    ['a date, by the answer’s own clock', { 'retry-after': date, date: 'Wed, 21 Oct 2015 07:27:50 GMT' }, 10_000],
    ['a date, where the answer’s own cannot be read', { 'retry-after': date, date: 'today' }, 5_000],
    ['a date that is over', { 'retry-after': 'Wed, 21 Oct 2015 07:27:00 GMT' }, 0],
    ['more than a year', { 'retry-after': '9'.repeat(400) }, 31_536_000_000],
    ['a date in a thousand years', { 'retry-after': 'Wed, 21 Oct 3015 07:28:00 GMT' }, 31_536_000_000],
    ['a number in another notation', { 'retry-after': '1e999' }, undefined],
    ['what is neither', { 'retry-after': 'soon' }, undefined],
    ['a negative number, a year to some engines', { 'retry-after': '-5' }, undefined],
    ['two numbers, a month and a day to some engines', { 'retry-after': '5, 5' }, undefined],
  ])('S2 reads %s', (_, headers, expected) => {
    expect(parseRetryAfter(headers, at - 5_000)).toBe(expected);
  });
});
