import {
  EMPTY,
  VirtualTimeScheduler,
  asyncScheduler,
  defer,
  of,
  repeat,
  take,
  throwError,
  type Observable,
} from 'rxjs';
import { describe, expect, it, vi } from 'vitest';
import { RunpodError } from '../../src/errors/RunpodError.js';
import { poll, type PollLoopOptions } from '../../src/sources/poll.js';
import { cases, marbles } from '../support/marbles.js';
import { httpError, inTurn, momentsAt, noElements } from '../support/scripted.js';

/** Polls with a fixed delay. */
function every<T>(delay: number, read: () => Observable<T>, options: Partial<PollLoopOptions<T>> = {}): Observable<T> {
  return poll(read, { delay: () => delay, outage: 100, scheduler: asyncScheduler, ...options });
}

describe('poll', () => {
  it(
    'reads at once, and again after a delay from each answer',
    marbles((m) => {
      const read = m.cold('--(a|)');
      const subs = ['      ^-!', '-----^-!', '----------^-!'];
      const unsub = '      -------------!';
      const expected = '   --a----a----a-';
      m.expect(
        every(3, () => read),
        unsub,
      ).toBeObservable(expected);
      m.expect(read).toHaveSubscriptions(subs);
    }),
  );

  it(
    'S10 keeps one read in flight, and an answer slower than the delay still counts',
    marbles((m) => {
      const read = m.cold('------(a|)');
      const subs = ['      ^-----!', '--------^-----!', '----------------^-!'];
      const unsub = '      ------------------!';
      const expected = '   ------a-------a----';
      m.expect(
        every(2, () => read),
        unsub,
      ).toBeObservable(expected);
      m.expect(read).toHaveSubscriptions(subs);
    }),
  );

  it(
    'S10 takes one answer of each read, and unsubscribes from a read that has more',
    marbles((m) => {
      const read = m.cold('-a-b-c');
      const subs = ['      ^!', '-----^!'];
      const unsub = '      -------!';
      const expected = '   -a----a-';
      m.expect(
        every(4, () => read),
        unsub,
      ).toBeObservable(expected);
      m.expect(read).toHaveSubscriptions(subs);
    }),
  );

  it(
    'calls `delay` with the latest value and the number of failures since',
    marbles((m) => {
      const delay = vi.fn((last: string | undefined, failures: number) => (last === 'b' ? 4 : 2) + failures);
      const error = httpError(503);
      const read = inTurn(m.cold('#', undefined, error), m.cold('(a|)'), m.cold('#', undefined, error), m.cold('(b|)'));
      const unsub = '   ----------!';
      const expected = '---a----b--';
      m.expect(poll(read, { delay, outage: 100, scheduler: asyncScheduler }), unsub).toBeObservable(expected);
      m.flush();
      expect(delay.mock.calls).toStrictEqual([
        [undefined, 1],
        ['a', 0],
        ['a', 1],
        ['b', 0],
      ]);
    }),
  );

  it(
    'S2 reads on after a minute at most, whatever the server asks for',
    marbles((m) => {
      const bad = m.cold('-#', undefined, httpError(429, 3_600_000));
      const read = inTurn(bad, m.cold('(a|)'));
      m.expect(every(3, read), '60002ms !').toBeObservable('60001ms a');
    }),
  );

  cases(
    'S2 reads on after retryable errors',
    (m, { status, retryAfter, subs, expected }) => {
      const error = httpError(status, retryAfter);
      const failing = m.cold('-#', undefined, error);
      const good = m.cold('   (a|)');
      const unsub = '         ---------!';
      m.expect(every(3, inTurn(failing, good)), unsub).toBeObservable(expected);
      m.expect(failing).toHaveSubscriptions('^!');
      m.expect(good).toHaveSubscriptions(subs);
    },
    {
      'a 503': { status: 503, retryAfter: undefined, expected: '----a--a--', subs: ['----(^!)', '-------(^!)'] },
      'a 429': { status: 429, retryAfter: undefined, expected: '----a--a--', subs: ['----(^!)', '-------(^!)'] },
      'one that asks for more time than the delay': {
        status: 503,
        retryAfter: 5,
        expected: '------a---',
        subs: ['------(^!)'],
      },
      'one that asks for less time': {
        status: 503,
        retryAfter: 1,
        expected: '----a--a--',
        subs: ['----(^!)', '-------(^!)'],
      },
    },
  );

  cases(
    'S2 errors at once with other errors',
    (m, { error }) => {
      const read = m.cold('--#', undefined, error);
      m.expect(every(3, () => read)).toBeObservable('--#', undefined, error);
      m.expect(read).toHaveSubscriptions('            ^-!');
    },
    {
      'a 404': { error: httpError(404) as Error },
      'an error of the library that is not retryable': { error: new RunpodError('no', { operation: 'status' }) },
      'any other error': { error: new TypeError('a bug') },
    },
  );

  cases(
    'S2 errors when the next read would be later than `outage` after the first failure in a row',
    (m, { outage, expected, subs }) => {
      const error = httpError(503);
      const good = m.cold('   --(a|)');
      const failing = m.cold('-#', undefined, error);
      const result$ = every(10, inTurn(good, failing), { outage });
      m.expect(result$, '60ms !').toBeObservable(expected, undefined, error);
      m.expect(failing).toHaveSubscriptions(subs);
    },
    {
      // The failures are at 13, 24, 35 and 46; the read after the third is due at 45.
      'just within': {
        outage: 32,
        expected: '--a 43ms #',
        subs: ['12ms ^!', '23ms ^!', '34ms ^!', '45ms ^!'],
      },
      'just over': { outage: 31, expected: '--a 32ms #', subs: ['12ms ^!', '23ms ^!', '34ms ^!'] },
    },
  );

  it(
    'S2 does not end for one failure alone, even where the server asks for a pause longer than `outage`',
    marbles((m) => {
      const error = httpError(429, 101);
      const read = m.cold('-#', undefined, error);
      m.expect(every(3, () => read)).toBeObservable('103ms #', undefined, error);
      m.expect(read).toHaveSubscriptions(['^!', '102ms ^!']);
    }),
  );

  it(
    'S2 counts the outage from each answer',
    marbles((m) => {
      const error = httpError(503);
      const bad = m.cold('--#', undefined, error);
      const good = m.cold('--(a|)');
      const read = inTurn(bad, bad, good, bad, bad, good, bad);
      const unsub = '   -----------------------!';
      const expected = '----------a-----------a-';
      m.expect(every(2, read, { outage: 12 }), unsub).toBeObservable(expected);
    }),
  );

  it(
    'S2 limits its delay to what a timer can keep',
    marbles((m) => {
      const read = m.cold('(a|)');
      const most = 2 ** 31 - 1;
      const result$ = every(Infinity, () => read).pipe(take(2));
      m.expect(result$).toBeObservable(`a ${most - 1}ms (a|)`);
      m.expect(read).toHaveSubscriptions(momentsAt(0, most));
    }),
  );

  describe('notices', () => {
    it(
      'S26 hurry the next read, whose answer counts, and nothing of the notice',
      marbles((m) => {
        const read = m.cold('(a|)');
        const notices = m.hot('600ms n');
        m.expect(
          every(2_000, () => read, { notices }),
          '2700ms !',
        ).toBeObservable('a 599ms a 1999ms a');
        m.expect(notices).toHaveSubscriptions('^ 2699ms !');
      }),
    );

    it(
      'S26 cause no read sooner than half a second after an answer, and postpone none',
      marbles((m) => {
        const read = m.cold('(a|)');
        const notices = m.cold('200ms (n|)').pipe(repeat());
        m.expect(
          every(700, () => read, { notices }),
          '1700ms !',
        ).toBeObservable('a 499ms a 499ms a 499ms a');
        m.expect(
          every(300, () => read, { notices }),
          '700ms !',
        ).toBeObservable('a 299ms a 299ms a');
      }),
    );

    it(
      'S26 S10 during a read leave it alone, and are followed by another read',
      marbles((m) => {
        const read = m.cold('  100ms (a|)');
        const notices = m.hot('50ms n');
        m.expect(
          every(2_000, () => read, { notices }),
          '800ms !',
        ).toBeObservable('100ms a 599ms a');
        m.expect(read).toHaveSubscriptions(['^ 99ms !', '600ms ^ 99ms !']);
      }),
    );

    it(
      'S26 S2 do not shorten the pause after a read that failed',
      marbles((m) => {
        const read = inTurn(m.cold('#', undefined, httpError(503)), m.cold('(a|)'));
        const notices = m.hot('600ms n');
        m.expect(every(2_000, read, { notices, outage: 10_000 }), '2001ms !').toBeObservable('2s a');
      }),
    );

    cases(
      'are subscribed to once',
      (m, { given, heard }) => {
        const read = m.cold('(a|)');
        const notices = m.hot(given);
        const subs = momentsAt(0, 4, 8);
        const unsub = '      ---------!';
        const expected = '   a---a---a-';
        m.expect(
          every(4, () => read, { notices }),
          unsub,
        ).toBeObservable(expected);
        m.expect(read).toHaveSubscriptions(subs);
        m.expect(notices).toHaveSubscriptions(heard);
      },
      {
        'where the channel stays open': { given: '-', heard: '^--------!' },
        'where it breaks, and reading goes on': { given: '-----#', heard: '^----!' },
        'where it ends, and reading goes on': { given: '-----|', heard: '^----!' },
      },
    );

    it(
      'S26 that come synchronously hurry one read',
      marbles((m) => {
        const read = m.cold('(a|)');
        const notices = m.cold('(no|)');
        m.expect(
          every(4_000, () => read, { notices }),
          '600ms !',
        ).toBeObservable('a 499ms a');
        m.expect(notices).toHaveSubscriptions('(^!)');
      }),
    );
  });

  it(
    'errors on a read without an answer',
    marbles((m) => {
      const result$ = every(3, () => EMPTY);
      m.expect(result$).toBeObservable('#', undefined, noElements);
    }),
  );

  it(
    'waits for a read that never answers',
    marbles((m) => {
      const read = m.cold('-----');
      const unsub = '      ----!';
      m.expect(
        every(1, () => read),
        unsub,
      ).toBeObservable('-----');
      m.expect(read).toHaveSubscriptions('^---!');
    }),
  );

  it(
    'works on synchronous reads',
    marbles((m) => {
      let reads = 0;
      const result$ = every(2, () => of(String(++reads)));
      m.expect(result$, '-----!').toBeObservable('1-2-3-');
    }),
  );

  it(
    'turns an exception of a callback into an error',
    marbles((m) => {
      const thrown = new Error('thrown');
      const throws = (): never => {
        throw thrown;
      };
      const read = m.cold('-(a|)');
      m.expect(every(3, throws)).toBeObservable('#', undefined, thrown);
      const delayed$ = poll(() => read, { delay: throws, outage: 100, scheduler: asyncScheduler });
      m.expect(delayed$).toBeObservable('-(a#)', undefined, thrown);
      m.expect(read).toHaveSubscriptions('^!');
    }),
  );

  it(
    'S13 aborts the read in flight, or the pause, when it is unsubscribed from',
    marbles((m) => {
      const read = m.cold(' ---(a|)');
      const notices = m.hot('-');
      const inFlight = '    -!';
      const inPause = '     ----!';
      m.expect(
        every(3, () => read, { notices }),
        inFlight,
      ).toBeObservable('-');
      m.expect(
        every(3, () => read, { notices }),
        inPause,
      ).toBeObservable('---a-');
      m.expect(read).toHaveSubscriptions(['^!', '^--!']);
      m.expect(notices).toHaveSubscriptions(['^!', '^---!']);
    }),
  );

  it(
    'starts afresh with each subscription',
    marbles((m) => {
      const read = m.cold('-(a|)');
      const subs = ['      ^!', '----^!', '-----^!', '---------^!'];
      const expected = '   -a---aa---(a|)';
      m.expect(every(3, () => read).pipe(take(2), repeat(2))).toBeObservable(expected);
      m.expect(read).toHaveSubscriptions(subs);
    }),
  );

  it('S9 uses the given scheduler for all clocks and timers', () => {
    const scheduler = new VirtualTimeScheduler();
    const at: number[] = [];
    const error = httpError(503);
    let reads = 0;
    const read = defer(() => (++reads === 2 ? throwError(() => error) : of(reads)));
    every(60_000, () => read, { scheduler, outage: 1e9 })
      .pipe(take(3))
      .subscribe(() => at.push(scheduler.now()));
    expect(at).toStrictEqual([0]);
    scheduler.flush();
    expect(at).toStrictEqual([0, 120_000, 180_000]);
    // No timer is left.
    expect(scheduler.actions).toHaveLength(0);
  });
});
