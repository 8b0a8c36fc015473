import { EMPTY, VirtualTimeScheduler, of, retry, take } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { pollHealth } from '../../src/sources/pollHealth.js';
import type { EndpointHealth } from '../../src/types/EndpointHealth.js';
import { marbles } from '../support/marbles.js';
import { httpError, inTurn, momentsAt, noElements, series } from '../support/scripted.js';

const health: EndpointHealth = {
  jobs: { completed: 1, failed: 0, inProgress: 0, inQueue: 0, retried: 0 },
  workers: { idle: 1, running: 0 },
  raw: {},
};
const h = { h: health };

describe('pollHealth', () => {
  it(
    'emits every answer, equal answers as well, every 5 s',
    marbles((m) => {
      const read = m.cold('-(h|)', h);
      const expected = '   -h 5000ms h 5000ms h-';
      m.expect(
        pollHealth(() => read),
        '10004ms !',
      ).toBeObservable(expected, h);
      m.expect(read).toHaveSubscriptions(['^!', '5001ms ^!', '10002ms ^!']);
    }),
  );

  it(
    'S10 keeps one read in flight',
    marbles((m) => {
      const read = m.cold('-----(h|)', h);
      const subs = ['      ^----!', '-------^----!', '--------------^!'];
      const unsub = '      ---------------!';
      const expected = '   -----h------h---';
      m.expect(
        pollHealth(() => read, { every: 2 }),
        unsub,
      ).toBeObservable(expected, h);
      m.expect(read).toHaveSubscriptions(subs);
    }),
  );

  it(
    'S2 reads on for an outage of five minutes, then errors',
    marbles((m) => {
      const error = httpError(503);
      const read = m.cold('#', undefined, error);
      m.expect(pollHealth(() => read)).toBeObservable('300s #', undefined, error);
      m.expect(read).toHaveSubscriptions(momentsAt(...series(61, 5_000)));
    }),
  );

  it(
    'S2 reads on for the given outage',
    marbles((m) => {
      const error = httpError(503);
      const bad = m.cold(' -#', undefined, error);
      const good = m.cold('-(h|)', h);
      const options = { every: 2, outage: 5 };
      m.expect(pollHealth(inTurn(bad, good), options), '-----!').toBeObservable('----h-', h);
      m.expect(pollHealth(() => bad, options)).toBeObservable('-------#', undefined, error);
    }),
  );

  it(
    'errors at once with an error that is not retryable',
    marbles((m) => {
      const error = httpError(404);
      const read = m.cold('--#', undefined, error);
      m.expect(pollHealth(() => read)).toBeObservable('--#', undefined, error);
    }),
  );

  it(
    'errors on a read without an answer, or that throws, and waits for one that never answers',
    marbles((m) => {
      const thrown = new Error('thrown');
      const never = m.cold('--');
      m.expect(pollHealth(() => EMPTY)).toBeObservable('#', undefined, noElements);
      m.expect(
        pollHealth(() => {
          throw thrown;
        }),
      ).toBeObservable('#', undefined, thrown);
      m.expect(
        pollHealth(() => never, { every: 1 }),
        '----!',
      ).toBeObservable('-----');
      m.expect(never).toHaveSubscriptions('^---!');
    }),
  );

  it(
    'S13 aborts the read in flight, or the pause, when it is unsubscribed from',
    marbles((m) => {
      const read = m.cold('---(h|)', h);
      m.expect(
        pollHealth(() => read),
        '-!',
      ).toBeObservable('-');
      m.expect(
        pollHealth(() => read),
        '----!',
      ).toBeObservable('---h-', h);
      m.expect(read).toHaveSubscriptions(['^!', '^--!']);
    }),
  );

  it(
    'starts afresh with each subscription',
    marbles((m) => {
      const error = httpError(404);
      const good = m.cold('-(h|)', h);
      const bad = m.cold(' -#', undefined, error);
      const expected = '   -h---h--#';
      m.expect(pollHealth(inTurn(good, bad, good, bad), { every: 2 }).pipe(retry(1))).toBeObservable(
        expected,
        h,
        error,
      );
      m.expect(good).toHaveSubscriptions(['^!', '----^!']);
      m.expect(bad).toHaveSubscriptions([' ---^!', '-------^!']);
    }),
  );

  it('S9 uses the given scheduler for all clocks and timers', () => {
    const scheduler = new VirtualTimeScheduler();
    const at: number[] = [];
    pollHealth(() => of(health), { scheduler })
      .pipe(take(3))
      .subscribe(() => at.push(scheduler.now()));
    scheduler.flush();
    expect(at).toStrictEqual([0, 5_000, 10_000]);
  });
});
