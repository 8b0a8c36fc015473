import { of, repeat } from 'rxjs';
import { describe, it } from 'vitest';
import { untilTerminal } from '../../src/operators/untilTerminal.js';
import { job, life } from '../fixtures/snapshots.js';
import { cases, marbles } from '../support/marbles.js';

/** A snapshot whose status throws when it is read. */
const trap = Object.defineProperty({ ...life.p }, 'status', {
  get: () => {
    throw new Error('no status');
  },
});

describe('untilTerminal', () => {
  it(
    'emits snapshots up to the terminal one, then unsubscribes from the source',
    marbles((m) => {
      const source = m.hot('-q--p--p--c--p--|', life);
      const subs = '        ^---------!';
      const expected = '    -q--p--p--(c|)';
      m.expect(source.pipe(untilTerminal())).toBeObservable(expected, life);
      m.expect(source).toHaveSubscriptions(subs);
    }),
  );

  cases(
    'S17 completes at each terminal state, and at no other',
    (m, { given, expected, sub }) => {
      const source = m.hot(given, life);
      m.expect(source.pipe(untilTerminal())).toBeObservable(expected, life);
      m.expect(source).toHaveSubscriptions(sub);
    },
    {
      COMPLETED: { given: '--c--p-|', expected: '--(c|)', sub: '^-!' },
      FAILED: { given: '--f--p-|', expected: '--(f|)', sub: '^-!' },
      CANCELLED: { given: '--x--p-|', expected: '--(x|)', sub: '^-!' },
      TIMED_OUT: { given: '--t--p-|', expected: '--(t|)', sub: '^-!' },
      IN_QUEUE: { given: '--q--p-|', expected: '--q--p-|', sub: '^------!' },
      'a status not known': { given: '--u--p-|', expected: '--u--p-|', sub: '^------!' },
    },
  );

  it(
    'errors as the source does',
    marbles((m) => {
      const source = m.cold('-q--#', life);
      const subs = '         ^---!';
      const expected = '     -q--#';
      m.expect(source.pipe(untilTerminal())).toBeObservable(expected, life);
      m.expect(source).toHaveSubscriptions(subs);
    }),
  );

  it(
    'completes as an empty source does',
    marbles((m) => {
      const source = m.cold('--|');
      const subs = '         ^-!';
      const expected = '     --|';
      m.expect(source.pipe(untilTerminal())).toBeObservable(expected);
      m.expect(source).toHaveSubscriptions(subs);
    }),
  );

  it(
    'never ends on a source that never ends',
    marbles((m) => {
      const source = m.cold('-q-');
      const subs = '         ^--';
      const expected = '     -q-';
      m.expect(source.pipe(untilTerminal())).toBeObservable(expected);
      m.expect(source).toHaveSubscriptions(subs);
    }),
  );

  it(
    'takes no more of a synchronous source than it needs',
    marbles((m) => {
      const source = of(life.q, life.c, life.p);
      m.expect(source.pipe(untilTerminal())).toBeObservable('(qc|)', life);
    }),
  );

  it(
    'turns an exception while it reads a snapshot into an error',
    marbles((m) => {
      const source = m.cold('-q-x--|', { q: life.q, x: trap });
      const subs = '         ^--!';
      const expected = '     -q-#';
      m.expect(source.pipe(untilTerminal())).toBeObservable(expected, life, new Error('no status'));
      m.expect(source).toHaveSubscriptions(subs);
    }),
  );

  it(
    'unsubscribes from the source when it is unsubscribed from',
    marbles((m) => {
      const source = m.hot('-q--p--c', life);
      const unsub = '       ^----!';
      const expected = '    -q--p-';
      m.expect(source.pipe(untilTerminal()), unsub).toBeObservable(expected, life);
      m.expect(source).toHaveSubscriptions(unsub);
    }),
  );

  it(
    'starts afresh with each subscription',
    marbles((m) => {
      const again = job('COMPLETED', { output: 'again' });
      const source = m.cold('-c-p|', { c: again, p: life.p });
      const subs = ['        ^!', '-^!'];
      const expected = '     -c(c|)';
      m.expect(source.pipe(untilTerminal(), repeat(2))).toBeObservable(expected, { c: again });
      m.expect(source).toHaveSubscriptions(subs);
    }),
  );
});
