import { catchError, of, repeat, retry } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { describe, expect, it } from 'vitest';
import { JobCancelledError, JobDeadlineError, JobFailedError, JobTimedOutError } from '../../src/errors/index.js';
import { jobOutput } from '../../src/operators/jobOutput.js';
import { members } from '../fixtures/members.js';
import { job, life } from '../fixtures/snapshots.js';
import { cases, marbles } from '../support/marbles.js';

const trap = Object.defineProperty({ ...life.c }, 'output', {
  get: () => {
    throw new Error('no output');
  },
});

describe('jobOutput', () => {
  it(
    'emits the output of a job that completed, and unsubscribes from the source',
    marbles((m) => {
      const source = m.hot('-q--r--c--c--|', life);
      const subs = '        ^------!';
      const expected = '    -------(d|)';
      m.expect(source.pipe(jobOutput())).toBeObservable(expected, { d: 'done' });
      m.expect(source).toHaveSubscriptions(subs);
    }),
  );

  cases(
    'S17 emits an output of any value, once',
    (m, { given, output }) => {
      const source = m.cold('--c-|', { c: job('COMPLETED', given) });
      m.expect(source.pipe(jobOutput())).toBeObservable('--(o|)', { o: output });
      m.expect(source).toHaveSubscriptions('^-!');
    },
    {
      'undefined where there is none': { given: {}, output: undefined as unknown },
      null: { given: { output: null }, output: null },
      0: { given: { output: 0 }, output: 0 },
      'an empty string': { given: { output: '' }, output: '' },
      'an empty list': { given: { output: [] }, output: [] },
    },
  );

  const endings = {
    FAILED: {
      snapshot: life.f,
      type: JobFailedError,
      error: { name: 'JobFailedError', code: 'job_failed', message: 'job j failed: broken' },
    },
    'FAILED over its executionTimeout': {
      snapshot: job('FAILED', { error: 'executionTimeout exceeded' }),
      type: JobDeadlineError,
      error: {
        name: 'JobDeadlineError',
        code: 'job_deadline',
        limit: 'execution',
        by: 'server',
        message: 'job j ran longer than its executionTimeout',
      },
    },
    CANCELLED: {
      snapshot: life.x,
      type: JobCancelledError,
      error: { name: 'JobCancelledError', code: 'job_cancelled', message: 'job j was cancelled' },
    },
    TIMED_OUT: {
      snapshot: life.t,
      type: JobTimedOutError,
      error: {
        name: 'JobTimedOutError',
        code: 'job_timed_out',
        message: 'job j timed out: it expired, or its worker was lost',
      },
    },
  };

  it.each(Object.entries(endings))('S17 errors on %s, with the snapshot', (_, { snapshot, type, error }) => {
    const { message, ...said } = error;
    const seen: unknown[] = [];
    const scheduler = new TestScheduler((actual, expected) => expect(actual).toStrictEqual(expected));
    scheduler.run(({ hot, expectObservable, expectSubscriptions }) => {
      const source = hot('-q--e--|', { q: life.q, e: snapshot });
      const subs = '      ^---!';
      const expected = '  ----(e|)';
      const caught$ = source.pipe(
        jobOutput(),
        catchError((thrown: JobFailedError) => {
          seen.push(thrown);
          return of(thrown.message);
        }),
      );
      expectObservable(caught$).toBe(expected, { e: message });
      expectSubscriptions(source.subscriptions).toBe(subs);
    });
    expect(seen).toHaveLength(1);
    expect(seen[0]).toBeInstanceOf(type);
    expect(members(seen[0])).toStrictEqual({
      ...said,
      operation: 'status',
      jobId: 'j',
      retryable: false,
      snapshot,
    });
    expect((seen[0] as JobFailedError).snapshot).toBe(snapshot);
  });

  it(
    'errors as the source does',
    marbles((m) => {
      const source = m.cold('-q--#', life);
      m.expect(source.pipe(jobOutput())).toBeObservable('----#');
      m.expect(source).toHaveSubscriptions('             ^---!');
    }),
  );

  it(
    'completes without a value where the source ends before the job',
    marbles((m) => {
      const source = m.cold('-q--p--|', life);
      m.expect(source.pipe(jobOutput())).toBeObservable('-------|');
      m.expect(source).toHaveSubscriptions('             ^------!');
    }),
  );

  it(
    'completes as an empty source does',
    marbles((m) => {
      const source = m.cold('--|');
      m.expect(source.pipe(jobOutput())).toBeObservable('--|');
      m.expect(source).toHaveSubscriptions('             ^-!');
    }),
  );

  it(
    'never ends on a source that never ends',
    marbles((m) => {
      const source = m.cold('-q-u-', life);
      m.expect(source.pipe(jobOutput())).toBeObservable('-----');
      m.expect(source).toHaveSubscriptions('             ^----');
    }),
  );

  it(
    'works on a synchronous source',
    marbles((m) => {
      m.expect(of(life.q, life.c, life.f).pipe(jobOutput())).toBeObservable('(d|)', { d: 'done' });
    }),
  );

  it(
    'turns an exception while it reads a snapshot into an error',
    marbles((m) => {
      const source = m.cold('-q-x--|', { q: life.q, x: trap });
      m.expect(source.pipe(jobOutput())).toBeObservable('---#', undefined, new Error('no output'));
      m.expect(source).toHaveSubscriptions('             ^--!');
    }),
  );

  it(
    'unsubscribes from the source when it is unsubscribed from',
    marbles((m) => {
      const source = m.hot('-q--p--c', life);
      const unsub = '       ^----!';
      m.expect(source.pipe(jobOutput()), unsub).toBeObservable('------');
      m.expect(source).toHaveSubscriptions(unsub);
    }),
  );

  it(
    'starts afresh with each subscription, after an error as well',
    marbles((m) => {
      const done = m.cold('  -c|', life);
      m.expect(done.pipe(jobOutput(), repeat(2))).toBeObservable('-d(d|)', { d: 'done' });
      m.expect(done).toHaveSubscriptions(['^!', '-^!']);
      const failed = m.cold('-f|', life);
      const message$ = failed.pipe(
        jobOutput(),
        retry(1),
        catchError((error: Error) => of(error.message)),
      );
      m.expect(message$).toBeObservable('--(e|)', { e: 'job j failed: broken' });
      m.expect(failed).toHaveSubscriptions(['^!', '-^!']);
    }),
  );
});
