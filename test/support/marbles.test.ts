import { map, of, throwError } from 'rxjs';
import { expect, test } from 'vitest';
import { cases, marbles } from './marbles.js';

test(
  'marbles compares values, time and subscriptions',
  marbles((m) => {
    const source = m.cold('a-b|', { a: 1, b: 2 });
    m.expect(source.pipe(map((value) => ({ value })))).toBeObservable('a-b|', { a: { value: 1 }, b: { value: 2 } });
    m.expect(source).toHaveSubscriptions('^--!');
  }),
);

test('marbles notices what differs', () => {
  const wrong = marbles((m) => {
    m.expect(of({ a: 1 })).toBeObservable('(a|)', { a: { a: 2 } });
  });
  expect(wrong).toThrow('to strictly equal');
  const late = marbles((m) => {
    m.expect(m.cold('-a|')).toBeObservable('a-|');
  });
  expect(late).toThrow('to strictly equal');
  const other = marbles((m) => {
    m.expect(throwError(() => new Error('one'))).toBeObservable('#', {}, new Error('two'));
  });
  expect(other).toThrow('to strictly equal');
});

cases('cases', (m, { source, expected }) => m.expect(m.cold(source)).toBeObservable(expected), {
  'one value': { source: 'a|', expected: 'a|' },
  none: { source: '|', expected: '|' },
});
