import {
  EMPTY,
  VirtualTimeScheduler,
  asyncScheduler,
  catchError,
  defer,
  interval,
  map,
  of,
  repeat,
  switchMap,
  take,
  timer,
  type Observable,
} from 'rxjs';
import { describe, expect, it, vi } from 'vitest';
import { ConfigurationError } from '../../src/errors/ConfigurationError.js';
import { untilTerminal } from '../../src/operators/untilTerminal.js';
import type { PollContext } from '../../src/types/PollPolicy.js';
import { pollStatus } from '../../src/sources/pollStatus.js';
import type { JobSnapshot } from '../../src/types/JobSnapshot.js';
import { job, life } from '../fixtures/snapshots.js';
import { cases, marbles } from '../support/marbles.js';
import { httpError, inTurn, momentsAt, noElements, series } from '../support/scripted.js';

/** A job that is over after some virtual time. Its reads are counted. */
function jobOf(ms: number) {
  let reads = 0;
  const read = () =>
    defer(() => {
      reads++;
      return of<JobSnapshot>(asyncScheduler.now() >= ms ? life.c : life.p);
    });
  return { read, reads: () => reads };
}

describe('pollStatus', () => {
  it(
    'emits snapshots that differ from the one before, and completes after the terminal one',
    marbles((m) => {
      const queued = m.cold(' -(q|)', life);
      const running = m.cold('-(p|)', life);
      const same = m.cold('   -(P|)', life);
      const further = m.cold('-(r|)', life);
      const done = m.cold('   -(c|)', life);
      const read = inTurn(queued, queued, running, same, further, done);
      const expected = '      -q-------p-------r---(c|)';
      m.expect(pollStatus(read, { every: 3 })).toBeObservable(expected, life);
      m.expect(queued).toHaveSubscriptions(['^!', '----^!']);
      m.expect(running).toHaveSubscriptions('--------^!');
      m.expect(same).toHaveSubscriptions('   ------------^!');
      m.expect(further).toHaveSubscriptions('----------------^!');
      m.expect(done).toHaveSubscriptions('   --------------------^!');
    }),
  );

  it(
    'S10 emits answers that take longer than the interval',
    marbles((m) => {
      const read = m.cold('---(c|)', life);
      const drawn$ = interval(2).pipe(
        take(4),
        switchMap(() => read),
        untilTerminal(),
      );
      m.expect(drawn$).toBeObservable('-----------(c|)', life);
      m.expect(pollStatus(() => read, { every: 2 })).toBeObservable('---(c|)', life);
      m.expect(read).toHaveSubscriptions(['^--!', '--^-!', '----^-!', '------^-!', '--------^--!']);
    }),
  );

  it(
    'S11 keeps to a fixed interval exactly',
    marbles((m) => {
      const random = vi.spyOn(Math, 'random');
      const read = m.cold('(p|)', life);
      const result$ = pollStatus(() => read, { every: 5_000, poll: () => 1 });
      m.expect(result$, '15001ms !').toBeObservable('p', life);
      m.expect(read).toHaveSubscriptions(momentsAt(0, 5_000, 10_000, 15_000));
      m.flush();
      expect(random).not.toHaveBeenCalled();
      random.mockRestore();
    }),
  );

  it(
    'S11 adapts its delay to the job’s age by default',
    marbles((m) => {
      const random = vi.spyOn(Math, 'random').mockReturnValue(0.5);
      const read = m.cold('(p|)', life);
      const result$ = pollStatus(() => read);
      m.expect(result$, '6000ms !').toBeObservable('p', life);
      m.expect(read).toHaveSubscriptions(momentsAt(...series(11, 500), 5_500));
      m.flush();
      random.mockRestore();
    }),
  );

  it(
    'S11 counts a job’s age from `submittedAt`',
    marbles((m) => {
      const ages: number[] = [];
      const poll = ({ age }: PollContext) => {
        ages.push(age);
        return 10;
      };
      const read = m.cold('--(p|)', life);
      const known$ = timer(100).pipe(switchMap(() => pollStatus(() => read, { poll, submittedAt: 40 })));
      m.expect(known$, '120ms !').toBeObservable('102ms p', life);
      const unknown$ = timer(200).pipe(switchMap(() => pollStatus(() => read, { poll })));
      m.expect(unknown$, '220ms !').toBeObservable('202ms p', life);
      m.flush();
      expect(ages).toStrictEqual([62, 74, 2, 14]);
    }),
  );

  it(
    'calls its policy with the latest answer and the number of failures since',
    marbles((m) => {
      const poll = vi.fn((_: PollContext) => 2);
      const error = httpError(503);
      const failing = m.cold('#', undefined, error);
      const read = inTurn(failing, failing, m.cold('(p|)', life), failing, m.cold('(c|)', life));
      m.expect(pollStatus(read, { poll })).toBeObservable('----p---(c|)', life);
      m.flush();
      expect(poll.mock.calls).toStrictEqual([
        [{ age: 0, failures: 1 }],
        [{ age: 2, failures: 2 }],
        [{ age: 4, failures: 0, snapshot: life.p }],
        [{ age: 6, failures: 1, snapshot: life.p }],
      ]);
    }),
  );

  it(
    'S11 polls on at its normal pace while the status is unknown',
    marbles((m) => {
      const other = job('SOMETHING_NEWER');
      const unknown = m.cold('(u|)', life);
      const newer = m.cold('  (v|)', { v: other });
      const done = m.cold('   (c|)', life);
      const expected = '      u---v---(c|)';
      m.expect(pollStatus(inTurn(unknown, newer, done), { every: 4 })).toBeObservable(expected, { ...life, v: other });
    }),
  );

  cases(
    'S17 completes at each terminal state, without an error',
    (m, { last }) => {
      const read = m.cold('-(z|)', { z: last });
      m.expect(pollStatus(() => read, { every: 3 })).toBeObservable('-(z|)', { z: last });
      m.expect(read).toHaveSubscriptions('^!');
    },
    {
      COMPLETED: { last: life.c },
      FAILED: { last: life.f },
      CANCELLED: { last: life.x },
      TIMED_OUT: { last: life.t },
    },
  );

  it(
    'S9 reads a job of ten minutes 121 times at the documented interval, in virtual time',
    marbles((m) => {
      const { read, reads } = jobOf(600_000);
      m.expect(pollStatus(read, { every: 5_000 })).toBeObservable('p 599999ms (c|)', life);
      m.flush();
      expect(reads()).toBe(121);
    }),
  );

  it(
    'S11 notices the end of a job of ten minutes within 5 s, for 146 reads',
    marbles((m) => {
      const random = vi.spyOn(Math, 'random').mockReturnValue(0.5);
      const { read, reads } = jobOf(600_000);
      const seen: number[] = [];
      pollStatus(read).subscribe(({ status }) => {
        if (status === 'COMPLETED') seen.push(asyncScheduler.now());
      });
      m.flush();
      expect(seen).toHaveLength(1);
      expect(seen[0]! - 600_000).toBeGreaterThanOrEqual(0);
      expect(seen[0]! - 600_000).toBeLessThan(5_000);
      expect(reads()).toBe(146);
      random.mockRestore();
    }),
  );

  it(
    'S2 reads on for five minutes from the first failure, then errors',
    marbles((m) => {
      const error = httpError(502);
      const good = m.cold('   --(p|)', life);
      const failing = m.cold('#', undefined, error);
      // The first failure comes 5 s after the answer; the read 300 s after it is the last.
      m.expect(pollStatus(inTurn(good, failing), { every: 5_000 })).toBeObservable('--p 304999ms #', life, error);
      m.expect(failing).toHaveSubscriptions(momentsAt(...series(61, 5_000).map((at) => at + 5_002)));
    }),
  );

  it(
    'S2 reads on for the given outage, and recovers',
    marbles((m) => {
      const error = httpError(502);
      const failing = m.cold('#', undefined, error);
      const done = m.cold('(c|)', life);
      const turns = Array.from({ length: 5 }, () => failing) as unknown as [typeof failing];
      const options = { every: 10, outage: 40 };
      m.expect(pollStatus(inTurn(...turns), options)).toBeObservable('40ms #', undefined, error);
      m.expect(pollStatus(inTurn(failing, failing, failing, failing, done), options)).toBeObservable('40ms (c|)', life);
    }),
  );

  it(
    'errors at once with an error that is not retryable',
    marbles((m) => {
      const error = httpError(401);
      const read = m.cold('--#', undefined, error);
      m.expect(pollStatus(() => read)).toBeObservable('--#', undefined, error);
      m.expect(read).toHaveSubscriptions('             ^-!');
    }),
  );

  it(
    'S26 goes on after a terminal notice, until a read says that the job is over',
    marbles((m) => {
      const read = inTurn(m.cold('(p|)', life), m.cold('(q|)', life), m.cold('(c|)', life));
      const notices = m.hot('600ms c', life);
      m.expect(pollStatus(read, { every: 3_000, notices })).toBeObservable('p 599ms q 2999ms (c|)', life);
    }),
  );

  it(
    'errors with ConfigurationError where the function poll throws, and says why',
    marbles((m) => {
      const cause = new Error('mine');
      const poll = () => {
        throw cause;
      };
      const failing = (read: Observable<JobSnapshot>) =>
        pollStatus(() => read, { poll }).pipe(
          catchError((error: unknown) => of(error as ConfigurationError)),
          map((given) => ('code' in given ? [given.code, given.operation, given.jobId, given.cause] : given.status)),
        );
      const told = ['configuration', 'status', life.p.id, cause];
      m.expect(failing(m.cold('-(p|)', life))).toBeObservable('-(pe|)', { p: 'IN_PROGRESS', e: told });
      const unread = ['configuration', 'status', undefined, cause];
      m.expect(failing(m.cold('-#', life, httpError(503)))).toBeObservable('-(e|)', { e: unread });
    }),
  );

  it(
    'errors on a read without an answer',
    marbles((m) => {
      m.expect(pollStatus(() => EMPTY)).toBeObservable('#', undefined, noElements);
    }),
  );

  it(
    'waits for a read that never answers',
    marbles((m) => {
      const read = m.cold('-----', life);
      m.expect(
        pollStatus(() => read, { every: 1 }),
        '----!',
      ).toBeObservable('-----');
      m.expect(read).toHaveSubscriptions('^---!');
    }),
  );

  it(
    'works on synchronous reads',
    marbles((m) => {
      m.expect(pollStatus(() => of(life.c))).toBeObservable('(c|)', life);
    }),
  );

  it(
    'S3 does not call its policy with the terminal snapshot, so a policy that throws loses nothing',
    marbles((m) => {
      const poll = vi.fn(({ snapshot }: PollContext) => {
        if (snapshot?.status === 'COMPLETED') throw new Error('no such case');
        return 2;
      });
      const read = inTurn(m.cold('-(p|)', life), m.cold('-(c|)', life));
      m.expect(pollStatus(read, { poll })).toBeObservable('-p--(c|)', life);
      m.flush();
      expect(poll).toHaveBeenCalledTimes(1);
    }),
  );

  it(
    'turns an exception of a callback into an error',
    marbles((m) => {
      const thrown = new Error('thrown');
      const throws = (): never => {
        throw thrown;
      };
      const failed = new ConfigurationError('the function given as poll failed', {
        operation: 'status',
        cause: thrown,
      });
      const read = m.cold('-(q|)', life);
      m.expect(pollStatus(throws)).toBeObservable('#', undefined, thrown);
      m.expect(pollStatus(() => read, { poll: throws })).toBeObservable('-(q#)', life, failed);
    }),
  );

  it(
    'S13 aborts the read in flight, or the pause, when it is unsubscribed from',
    marbles((m) => {
      const read = m.cold('---(p|)', life);
      m.expect(
        pollStatus(() => read, { every: 3 }),
        '-!',
      ).toBeObservable('-');
      m.expect(
        pollStatus(() => read, { every: 3 }),
        '----!',
      ).toBeObservable('---p-', life);
      m.expect(read).toHaveSubscriptions(['^!', '^--!']);
    }),
  );

  it(
    'starts afresh with each subscription, the age of the job as well',
    marbles((m) => {
      const ages: number[] = [];
      const poll = ({ age }: PollContext) => {
        ages.push(age);
        return 2;
      };
      const running = m.cold('-(p|)', life);
      const done = m.cold('   -(c|)', life);
      const expected = '      -p--cp--(c|)';
      const result$ = pollStatus(inTurn(running, done, running, done), { poll }).pipe(repeat(2));
      m.expect(result$).toBeObservable(expected, life);
      m.expect(running).toHaveSubscriptions(['^!', '----^!']);
      m.expect(done).toHaveSubscriptions(['   ---^!', '-------^!']);
      m.flush();
      expect(ages).toStrictEqual([1, 1]);
    }),
  );

  it('S9 uses the given scheduler for all clocks and timers', () => {
    const scheduler = new VirtualTimeScheduler();
    const seen: unknown[] = [];
    const read = defer(() => of(scheduler.now() < 9_000 ? life.p : life.c));
    pollStatus(() => read, { every: 5_000, scheduler }).subscribe({
      next: ({ status }) => seen.push([scheduler.now(), status]),
      complete: () => seen.push('over'),
    });
    scheduler.flush();
    expect(seen).toStrictEqual([[0, 'IN_PROGRESS'], [10_000, 'COMPLETED'], 'over']);
  });
});
