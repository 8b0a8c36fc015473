import { NEVER, VirtualTimeScheduler, of, throwError, type Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { ConnectionError } from '../../src/errors/ConnectionError.js';
import { isRunpodError } from '../../src/errors/isRunpodError.js';
import { failover, type FailoverOptions } from '../../src/pipelines/failover.js';
import type { JobSnapshot } from '../../src/types/JobSnapshot.js';
import { job, life } from '../fixtures/snapshots.js';
import { cases, marbles } from '../support/marbles.js';

const lives = { ...life, d: job('COMPLETED', { id: 'second', output: 2 }) };
const refused = new ConnectionError('no', { operation: 'run', accepted: 'no' }, { phase: 'connect' });
const unknown = new ConnectionError('perhaps', { operation: 'run', accepted: 'unknown' }, { phase: 'sent' });

const runWith = (options: FailoverOptions, ...runs: Observable<JobSnapshot>[]) =>
  failover(
    runs.map((run$) => () => run$),
    options,
  )({ input: {} }, 0);

describe('failover', () => {
  it(
    'S1 goes on where the job cannot have been accepted, and only there',
    marbles((m) => {
      const here = m.cold('--#', lives, refused);
      const there = m.cold('-q-d', lives);
      const errors: unknown[] = [];
      m.expect(runWith({ onError: (error) => errors.push(error) }, here, there)).toBeObservable('---q-(d|)', lives);
      m.expect(runWith({}, m.cold('--#', lives, unknown), m.cold('d'))).toBeObservable('--#', lives, unknown);
      m.expect(runWith({}, m.cold('-f', lives), m.cold('d'))).toBeObservable('-(f|)', lives);
      m.flush();
      expect(errors).toStrictEqual([refused]);
    }),
  );

  it(
    'goes on where `on` returns true, also after a job that failed',
    marbles((m) => {
      const on = (error: unknown) => isRunpodError(error, 'job_failed');
      m.expect(runWith({ on }, m.cold('-f', lives), m.cold('-d', lives))).toBeObservable('--(d|)', lives);
      m.expect(runWith({ on }, m.cold('-#', lives, refused), m.cold('d'))).toBeObservable('-#', lives, refused);
    }),
  );

  cases(
    'queue',
    (m, { given, expected, sub }) => {
      const here = m.cold(given, lives);
      m.expect(runWith({ queue: 3 }, here, m.cold('-d', lives))).toBeObservable(expected, lives);
      m.expect(here).toHaveSubscriptions(sub);
    },
    {
      'cancels a job that waits for too long': { given: 'q', expected: 'q---(d|)', sub: '^--!' },
      'cancels a job that has no snapshot yet': { given: '', expected: '----(d|)', sub: '^--!' },
      'keeps a job that runs': { given: 'qp---c', expected: 'qp---(c|)', sub: '^----!' },
    },
  );

  it(
    'ends as the last runner ends',
    marbles((m) => {
      const failing$ = throwError(() => refused);
      m.expect(runWith({ queue: 1 }, failing$, failing$, failing$)).toBeObservable('#', lives, refused);
      m.expect(runWith({ queue: 1 }, m.cold('q----c', lives))).toBeObservable('q----(c|)', lives);
    }),
  );

  it('S2 S9 measures time by the scheduler, and waits no longer than a timer can', () => {
    const scheduler = new VirtualTimeScheduler();
    const times = [5_000, 2 ** 40].map((queue) => {
      const began = scheduler.now();
      let code = '';
      runWith({ queue, scheduler }, NEVER, of(lives.d)).subscribe(({ id }) => (code = id));
      scheduler.flush();
      return [code, scheduler.now() - began];
    });
    expect(times).toEqual([
      ['second', 5_000],
      ['second', 2 ** 31 - 1],
    ]);
  });

  it('errors where there is no runner', () => {
    expect(() => of(runWith({})).subscribe()).not.toThrow();
    let code = '';
    runWith({}).subscribe({ error: (error: { code: string }) => (code = error.code) });
    expect(code).toBe('configuration');
  });
});
