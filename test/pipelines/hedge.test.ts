import { NEVER, VirtualTimeScheduler, throwError, type Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { hedge, type HedgeOptions } from '../../src/pipelines/hedge.js';
import type { JobSnapshot } from '../../src/types/JobSnapshot.js';
import { job, life } from '../fixtures/snapshots.js';
import { cases, marbles } from '../support/marbles.js';
import { inTurn } from '../support/scripted.js';

const lives = {
  ...life,
  d: job('COMPLETED', { id: 'second', output: 2 }),
  g: job('FAILED', { id: 'second', error: 'too' }),
};

const hedged = (options: HedgeOptions, first: Observable<JobSnapshot>, second: Observable<JobSnapshot>) =>
  hedge(inTurn(first, second), options)({ input: {} }, 0);

describe('hedge', () => {
  cases(
    'runs a second job where the first is slow',
    (m, { first, second, expected, subs }) => {
      const a = m.cold(first, lives);
      const b = m.cold(second, lives);
      m.expect(hedged({ after: 3 }, a, b)).toBeObservable(expected, lives);
      m.expect(a).toHaveSubscriptions(subs[0]!);
      m.expect(b).toHaveSubscriptions(subs[1] ? [subs[1]] : []);
    },
    {
      'not where the first has completed by then': {
        first: 'q-c',
        second: '-d',
        expected: 'q-(c|)',
        subs: ['^-!', ''],
      },
      'not where the first has failed by then': { first: 'q-f', second: '-d', expected: 'q-(f|)', subs: ['^-!', ''] },
      'not where the first has errored by then': { first: 'q-#', second: '-d', expected: 'q-#', subs: ['^-!', ''] },
      'the second wins, the first is cancelled': {
        first: 'q------c',
        second: '--d',
        expected: 'q----(d|)',
        subs: ['^----!', '---^-!'],
      },
      'the first wins, the second is cancelled': {
        first: 'q---c',
        second: '---d',
        expected: 'q---(c|)',
        subs: ['^---!', '---^!'],
      },
      'the first fails, the second decides': {
        first: 'q---f',
        second: '---d',
        expected: 'q-----(d|)',
        subs: ['^---!', '---^--!'],
      },
      'the second fails, the first decides': {
        first: 'q------c',
        second: '-g',
        expected: 'q------(c|)',
        subs: ['^------!', '---^!'],
      },
      'both fail: ends as the first': {
        first: 'q---f',
        second: '---g',
        expected: 'q-----(f|)',
        subs: ['^---!', '---^--!'],
      },
      'both fail, the second one sooner: ends as the first': {
        first: 'q------f',
        second: '-g',
        expected: 'q------(f|)',
        subs: ['^------!', '---^!'],
      },
    },
  );

  it(
    'asks `on` with the last snapshot',
    marbles((m) => {
      const a = m.cold('q-p---c', lives);
      const b = m.cold('-d', lives);
      const seen: unknown[] = [];
      const on = (snapshot?: JobSnapshot) => {
        seen.push(snapshot);
        return false;
      };
      m.expect(hedged({ after: 4, on }, a, b)).toBeObservable('q-p---(c|)', lives);
      m.flush();
      expect(seen).toStrictEqual([lives.p]);
    }),
  );

  it(
    'passes the error of the job that did not decide to onError',
    marbles((m) => {
      const errors: unknown[] = [];
      const b = throwError(() => 'lost');
      const source = hedged({ after: 1, onError: (error) => errors.push(error) }, m.cold('---c', lives), b);
      m.expect(source).toBeObservable('---(c|)', lives);
      m.flush();
      expect(errors).toStrictEqual(['lost']);
    }),
  );

  it(
    'where both error, errors as the first, and passes the other error to onError',
    marbles((m) => {
      const errors: unknown[] = [];
      const b = throwError(() => 'lost');
      const source = hedged({ after: 1, onError: (error) => errors.push(error) }, m.cold('---#', lives), b);
      m.expect(source).toBeObservable('---#');
      m.flush();
      expect(errors).toStrictEqual(['lost']);
    }),
  );

  it('S9 measures time by the scheduler', () => {
    const scheduler = new VirtualTimeScheduler();
    let runs = 0;
    const runner = () => {
      runs++;
      return NEVER;
    };
    hedge(runner, { after: 5_000, scheduler })({ input: {} }, 0).subscribe();
    scheduler.flush();
    expect([runs, scheduler.now()]).toEqual([2, 5_000]);
  });

  it(
    'unsubscribing cancels both',
    marbles((m) => {
      const a = m.cold('q-------c', lives);
      const b = m.cold('-q------d', lives);
      m.expect(hedged({ after: 2 }, a, b), '^----!').toBeObservable('q--q--', lives);
      m.expect(a).toHaveSubscriptions('^----!');
      m.expect(b).toHaveSubscriptions('--^--!');
    }),
  );
});
