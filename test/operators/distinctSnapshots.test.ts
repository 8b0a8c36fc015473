import { of, repeat } from 'rxjs';
import { describe, it } from 'vitest';
import { distinctSnapshots } from '../../src/operators/distinctSnapshots.js';
import { job, life } from '../fixtures/snapshots.js';
import { cases, marbles } from '../support/marbles.js';

const trap = Object.defineProperty({ ...life.p }, 'raw', {
  get: () => {
    throw new Error('no answer');
  },
});

describe('distinctSnapshots', () => {
  it(
    'S7 emits snapshots that differ from the one before, and does not end at a terminal state',
    marbles((m) => {
      const source = m.hot('-q-q-p-P-r-r-p-c-c-|', life);
      const subs = '        ^------------------!';
      const expected = '    -q---p---r---p-c---|';
      m.expect(source.pipe(distinctSnapshots())).toBeObservable(expected, life);
      m.expect(source).toHaveSubscriptions(subs);
    }),
  );

  cases(
    'S7 compares every field of the answers',
    (m, { a, b, expected }) => {
      const source = m.cold('ab|', { a, b });
      m.expect(source.pipe(distinctSnapshots())).toBeObservable(expected, { a, b });
    },
    {
      status: { a: job('IN_QUEUE'), b: job('IN_PROGRESS'), expected: 'ab|' },
      'a status that is not known': { a: job('NEW_ONE'), b: job('NEW_TWO'), expected: 'ab|' },
      delayTime: { a: job('IN_QUEUE', { delayTime: 1 }), b: job('IN_QUEUE', { delayTime: 2 }), expected: 'ab|' },
      'deep in the progress': {
        a: job('IN_PROGRESS', { output: { steps: [{ n: 1 }] } }),
        b: job('IN_PROGRESS', { output: { steps: [{ n: 2 }] } }),
        expected: 'ab|',
      },
      'a field that this version does not know': {
        a: job('IN_QUEUE', { gpu: 'A40' }),
        b: job('IN_QUEUE', { gpu: 'L4' }),
        expected: 'ab|',
      },
      'but not by the order of its keys, however deep': {
        a: job('IN_PROGRESS', { output: { a: 1, b: { c: 2, d: 3 } } }),
        b: job('IN_PROGRESS', { output: { b: { d: 3, c: 2 }, a: 1 } }),
        expected: 'a-|',
      },
    },
  );

  it(
    'errors as the source does',
    marbles((m) => {
      const source = m.cold('-q-q#', life);
      const subs = '         ^---!';
      const expected = '     -q--#';
      m.expect(source.pipe(distinctSnapshots())).toBeObservable(expected, life);
      m.expect(source).toHaveSubscriptions(subs);
    }),
  );

  it(
    'completes as an empty source does',
    marbles((m) => {
      const source = m.cold('--|');
      m.expect(source.pipe(distinctSnapshots())).toBeObservable('--|');
      m.expect(source).toHaveSubscriptions('^-!');
    }),
  );

  it(
    'never ends on a source that never ends',
    marbles((m) => {
      const source = m.cold('---');
      m.expect(source.pipe(distinctSnapshots())).toBeObservable('---');
      m.expect(source).toHaveSubscriptions('^--');
    }),
  );

  it(
    'works on a synchronous source',
    marbles((m) => {
      m.expect(of(life.q, life.q, life.c).pipe(distinctSnapshots())).toBeObservable('(qc|)', life);
    }),
  );

  it(
    'turns an exception while it compares into an error',
    marbles((m) => {
      const source = m.cold('-q-x--|', { q: life.q, x: trap });
      const subs = '         ^--!';
      const expected = '     -q-#';
      m.expect(source.pipe(distinctSnapshots())).toBeObservable(expected, life, new Error('no answer'));
      m.expect(source).toHaveSubscriptions(subs);
    }),
  );

  it(
    'unsubscribes from the source when it is unsubscribed from',
    marbles((m) => {
      const source = m.hot('-q-q-p-c', life);
      const unsub = '       ^---!';
      const expected = '    -q---';
      m.expect(source.pipe(distinctSnapshots()), unsub).toBeObservable(expected, life);
      m.expect(source).toHaveSubscriptions(unsub);
    }),
  );

  it(
    'starts afresh with each subscription',
    marbles((m) => {
      const source = m.cold('-q-q|', life);
      const subs = ['        ^---!', '----^---!'];
      const expected = '     -q---q--|';
      m.expect(source.pipe(distinctSnapshots(), repeat(2))).toBeObservable(expected, life);
      m.expect(source).toHaveSubscriptions(subs);
    }),
  );
});
