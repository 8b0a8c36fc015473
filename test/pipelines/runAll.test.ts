import { BehaviorSubject, NEVER, Subject, VirtualTimeScheduler, finalize, of, take, takeUntil, throwError } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { ConnectionError } from '../../src/errors/ConnectionError.js';
import { SubmissionUnknownError } from '../../src/errors/SubmissionUnknownError.js';
import type { PipelineTotals } from '../../src/pipelines/PipelineProgress.js';
import { runAll } from '../../src/pipelines/runAll.js';
import type { JobSnapshot } from '../../src/types/JobSnapshot.js';
import { job } from '../fixtures/snapshots.js';
import { collect, completed, controlledJobs, letters } from './letters.js';
import { httpError } from '../support/scripted.js';

const refused = () =>
  new ConnectionError('could not connect', { operation: 'run', accepted: 'no' }, { phase: 'connect', retryable: true });
const lost = () => new SubmissionUnknownError('lost', { operation: 'run', accepted: 'unknown' });

describe('runAll', () => {
  it('S24 takes an input only when a slot is free, and emits items as their jobs finish', () => {
    const { runner, started, finish } = controlledJobs();
    const taken: string[] = [];
    function* inputs() {
      for (const letter of letters('abcd')) {
        taken.push(letter.input.letter);
        yield letter;
      }
    }
    const seen = collect(runAll(runner, inputs(), { concurrency: 2 }));
    expect([taken, started]).toEqual([
      ['a', 'b'],
      ['a', 'b'],
    ]);
    finish('b');
    expect(taken).toEqual(['a', 'b', 'c']);
    finish('c');
    finish('a');
    finish('d');
    expect(seen.text).toBe('bcad|');
    expect(seen.items[0]).toEqual({
      ok: true,
      index: 1,
      request: { input: { letter: 'b' } },
      output: 'b',
      snapshot: completed('b'),
      attempts: 1,
    });
  });

  it('S24 in the order of the inputs, a finished job keeps its slot until its item is emitted', () => {
    const { runner, started, finish } = controlledJobs();
    const seen = collect(runAll(runner, letters('abcd'), { concurrency: 2, order: 'input' }));
    finish('b');
    expect([seen.text, started.join('')]).toEqual(['', 'ab']);
    finish('a');
    expect([seen.text, started.join('')]).toEqual(['ab', 'abcd']);
    finish('d');
    finish('c');
    expect(seen.text).toBe('abcd|');
  });

  it('S24 takes at most one input beyond the concurrency, and does not nest calls for a million inputs', () => {
    let taken = 0;
    let ended = 0;
    let most = 0;
    function* million() {
      while (taken < 1_000_000) {
        taken++;
        most = Math.max(most, taken - ended);
        yield { input: { letter: 'a' } };
      }
    }
    const done = completed('a');
    const waiting: Subject<JobSnapshot<string>>[] = [];
    // Every third job ends later, together with others.
    let count = 0;
    const runner = () => {
      if (++count % 3) return of(done);
      const job$ = new Subject<JobSnapshot<string>>();
      waiting.push(job$);
      return job$;
    };
    let complete = false;
    runAll(runner, million(), { concurrency: 100 }).subscribe({
      next: () => ended++,
      complete: () => (complete = true),
    });
    while (waiting.length) for (const job$ of waiting.splice(0)) job$.next(done);
    expect([ended, complete]).toEqual([1_000_000, true]);
    expect(most).toBeLessThanOrEqual(101);
  });

  it('S24 does not nest calls where every job ends synchronously', () => {
    function* many() {
      for (let count = 0; count < 50_000; count++) yield { input: { letter: 'a' } };
    }
    const ended = { items: 0, how: '' };
    runAll(() => of(completed('a')), many(), { concurrency: 100_000 }).subscribe({
      next: () => ended.items++,
      error: (error: unknown) => (ended.how = String(error)),
      complete: () => (ended.how = 'complete'),
    });
    expect(ended).toEqual({ items: 50_000, how: 'complete' });
  });

  it('S24 runs ten jobs at a time by default', () => {
    const { runner, started } = controlledJobs();
    collect(runAll(runner, letters('abcdefghijklmn')));
    expect(started.join('')).toBe('abcdefghij');
  });

  it('emits one item for each input, even if the runner emits after the terminal snapshot', () => {
    expect(collect(runAll(() => of(completed('a'), completed('b')), letters('a'))).text).toBe('a|');
  });

  it('S24 unsubscribes from a job during whose start the pipeline was unsubscribed', () => {
    const stop$ = new Subject<void>();
    let unsubscribed = 0;
    const runner = () => {
      stop$.next();
      return NEVER.pipe(finalize<JobSnapshot<string>>(() => unsubscribed++));
    };
    collect(runAll(runner, letters('ab')).pipe(takeUntil(stop$)));
    expect(unsubscribed).toBe(1);
  });

  it('S24 asks an async iterable for one input at a time, and calls its return on unsubscribe', async () => {
    const { runner, started, running } = controlledJobs();
    let asked = 0;
    let returned = 0;
    const inputs: AsyncIterable<{ input: { letter: string } }> = {
      [Symbol.asyncIterator]: () => ({
        next: () => Promise.resolve({ done: false, value: letters('abcdefgh'[asked++]!)[0]! }),
        return: () => {
          returned++;
          return Promise.resolve({ done: true, value: undefined });
        },
      }),
    };
    const seen = collect(runAll(runner, inputs, { concurrency: 3 }));
    expect(asked).toBe(1);
    await new Promise(setImmediate);
    expect([asked, started.join('')]).toEqual([3, 'abc']);
    seen.subscription.unsubscribe();
    expect([returned, running()]).toEqual([1, []]);
  });

  it('S24 unsubscribing cancels the jobs in flight, and calls the return of an iterator', () => {
    const { runner, started, running } = controlledJobs();
    let closed = false;
    function* inputs() {
      try {
        yield* letters('abc');
      } finally {
        closed = true;
      }
    }
    const { subscription } = collect(runAll(runner, inputs(), { concurrency: 2 }));
    expect(running()).toEqual(['a', 'b']);
    subscription.unsubscribe();
    expect([running(), closed, started.join('')]).toEqual([[], true, 'ab']);
  });

  it('starts no more jobs after an unsubscribe amid jobs that end synchronously', () => {
    let started = 0;
    const runner = () => {
      started++;
      return of(completed('a'));
    };
    const seen = collect(runAll(runner, letters('abcdefgh'), { concurrency: 3 }).pipe(take(2)));
    expect([seen.text, started]).toEqual(['ab|', 2]);
  });

  it('S24 where the inputs throw midway, emits the items in flight, then errors', () => {
    const { runner, finish } = controlledJobs();
    const broken = new Error('disk');
    function* inputs() {
      yield* letters('ab');
      throw broken;
    }
    const seen = collect(runAll(runner, inputs(), { concurrency: 5 }));
    finish('b');
    expect(seen.text).toBe('b');
    finish('a');
    expect([seen.text, seen.error]).toEqual(['ba#', broken]);
  });

  it('runs all jobs anew with each subscription', () => {
    const all$ = runAll(() => of(completed('a')), letters('ab'));
    expect([collect(all$).text, collect(all$).text]).toEqual(['ab|', 'ab|']);
  });

  it('completes synchronously without inputs', () => {
    expect(collect(runAll(() => NEVER, [])).text).toBe('|');
  });

  describe('a failed item', () => {
    it('S24 names its error, and the other jobs go on', () => {
      const { runner, fail, error, finish } = controlledJobs();
      const seen = collect(runAll(runner, letters('abc'), { concurrency: 2 }));
      fail('a');
      error('b', lost());
      finish('c');
      expect(seen.text).toBe('ABc|');
      expect(seen.items[0]).toMatchObject({
        ok: false,
        index: 0,
        jobId: 'a',
        attempts: 1,
        error: { code: 'job_failed' },
      });
      expect(seen.items[1]).toMatchObject({ ok: false, index: 1, error: { code: 'submission_unknown' } });
    });

    it('is emitted where the runner throws, or completes before its job has ended', () => {
      const seen = collect(
        runAll(({ input: { letter } }) => {
          if (letter === 'a') throw new Error('mine');
          return of(job('IN_QUEUE', { id: 'j' }) as JobSnapshot<string>);
        }, letters('ab')),
      );
      expect(seen.text).toBe('AB|');
      expect(seen.items).toMatchObject([
        { error: { message: 'mine' } },
        { error: { code: 'configuration', jobId: 'j', accepted: 'unknown' } },
      ]);
    });

    it('S24 under throw errors at once, and cancels the jobs in flight', () => {
      const { runner, fail, running } = controlledJobs();
      const seen = collect(runAll(runner, letters('abcd'), { concurrency: 2, order: 'input', onError: 'throw' }));
      fail('b');
      expect([seen.text, running()]).toEqual(['#', []]);
      expect(seen.error).toMatchObject({ code: 'job_failed', jobId: 'b' });
    });

    it('S24 under throw, in the order of the inputs, goes to deadLetters before earlier jobs have ended', () => {
      const { runner, fail } = controlledJobs();
      const dead: number[] = [];
      const deadLetters = { next: ({ index }: { index: number }) => dead.push(index) };
      collect(runAll(runner, letters('ab'), { order: 'input', onError: 'throw', deadLetters }));
      fail('b');
      expect(dead).toEqual([1]);
    });

    it('S24 under throw, in the order of the inputs, emits all finished items before the error', () => {
      const { runner, finish, fail, running } = controlledJobs();
      const seen = collect(runAll(runner, letters('abcdef'), { concurrency: 5, order: 'input', onError: 'throw' }));
      finish('e');
      finish('b');
      expect([seen.text, running().join('')]).toEqual(['', 'acd']);
      fail('c');
      expect([seen.text, running()]).toEqual(['be#', []]);
      expect(seen.error).toMatchObject({ code: 'job_failed', jobId: 'c' });
    });

    it('S24 under stop takes no more inputs, emits the items in flight, then errors', () => {
      const { runner, fail, finish, started } = controlledJobs();
      const seen = collect(runAll(runner, letters('abcd'), { concurrency: 2, onError: 'stop' }));
      fail('b');
      expect([seen.text, started.join('')]).toEqual(['B', 'ab']);
      finish('a');
      expect(seen.text).toBe('Ba#');
      expect(seen.error).toMatchObject({ code: 'job_failed', jobId: 'b' });
    });

    it.each([
      ['throw', 'c#'],
      ['stop', 'aBc#'],
    ] as const)(
      'S24 in the order of the inputs, with a finished job behind a slower one, emits under %s: %s',
      (onError, given) => {
        const { runner, fail, finish } = controlledJobs();
        const seen = collect(runAll(runner, letters('abcd'), { concurrency: 3, order: 'input', onError }));
        finish('c');
        fail('b');
        finish('a');
        expect(seen.text).toBe(given);
      },
    );

    it('S24 goes to deadLetters and not to the subscriber', () => {
      const { runner, fail, finish } = controlledJobs();
      const dead: unknown[] = [];
      const seen = collect(runAll(runner, letters('ab'), { deadLetters: { next: (item) => dead.push(item.index) } }));
      fail('a');
      finish('b');
      expect([seen.text, dead]).toEqual(['b|', [0]]);
    });
  });

  describe('retry', () => {
    /** A runner that errors a number of times, then completes. */
    const flaky = (error: () => unknown, times: number) => {
      let runs = 0;
      const runner = () => (++runs <= times ? throwError(error) : of(completed('a')));
      return { runner, runs: () => runs };
    };

    it('S1 S24 submits again after one second, then two, where the job cannot have been accepted', () => {
      const scheduler = new VirtualTimeScheduler();
      const { runner, runs } = flaky(refused, 2);
      const seen = collect(runAll(runner, letters('a'), { retry: 2, scheduler }));
      scheduler.flush();
      expect([seen.text, runs(), scheduler.now()]).toEqual(['a|', 3, 3000]);
      expect(seen.items).toMatchObject([{ attempts: 3 }]);
    });

    it('S1 S24 never pays twice, unless the options ask for it', () => {
      const scheduler = new VirtualTimeScheduler();
      const careful = flaky(lost, 1);
      const seen = collect(runAll(careful.runner, letters('a'), { retry: 5, scheduler }));
      scheduler.flush();
      expect([seen.text, careful.runs()]).toEqual(['A|', 1]);
      const told = flaky(lost, 1);
      const again = collect(
        runAll(told.runner, letters('a'), { retry: { count: 5, delay: 7, on: () => true }, scheduler }),
      );
      scheduler.flush();
      expect([again.text, told.runs(), scheduler.now()]).toEqual(['a|', 2, 7]);
    });

    it.each([
      [7, 20_000, 20_000],
      [30_000, 20_000, 30_000],
      [2 ** 40, undefined, 2 ** 31 - 1],
    ])('S2 with a delay of %s ms and a Retry-After of %s ms, happens after %s ms', (delay, retryAfter, after) => {
      const scheduler = new VirtualTimeScheduler();
      const { runner } = flaky(() => httpError(429, retryAfter), 1);
      const seen = collect(runAll(runner, letters('a'), { retry: { count: 1, delay, on: () => true }, scheduler }));
      scheduler.flush();
      expect([seen.text, scheduler.now()]).toEqual(['a|', after]);
    });

    it('does not happen after unsubscribe', () => {
      const scheduler = new VirtualTimeScheduler();
      const { runner, runs } = flaky(refused, 9);
      collect(runAll(runner, letters('a'), { retry: 9, scheduler })).subscription.unsubscribe();
      scheduler.flush();
      expect(runs()).toBe(1);
    });
  });

  it('S24 follows an Observable concurrency: 0 pauses, a lower number cancels nothing', () => {
    const { runner, started, running, finish } = controlledJobs();
    const concurrency = new Subject<number>();
    const seen = collect(runAll(runner, letters('abcdef'), { concurrency }));
    expect(started).toEqual([]);
    concurrency.next(3);
    expect(started.join('')).toBe('abc');
    concurrency.next(0);
    finish('a');
    expect([started.join(''), running()]).toEqual(['abc', ['b', 'c']]);
    concurrency.next(1);
    finish('b');
    expect(started.join('')).toBe('abc');
    finish('c');
    expect(started.join('')).toBe('abcd');
    concurrency.complete();
    for (const letter of 'def') finish(letter);
    expect(seen.text).toBe('abcdef|');
  });

  it('errors where the concurrency completes without a number', () => {
    const concurrency = new Subject<number>();
    const seen = collect(runAll(() => NEVER, letters('a'), { concurrency }));
    concurrency.complete();
    expect(seen.error).toMatchObject({ code: 'configuration' });
  });

  it('S24 takes no inputs while paused', () => {
    const { runner, started, finish } = controlledJobs();
    const paused = new BehaviorSubject(false);
    const seen = collect(runAll(runner, letters('abc'), { concurrency: 1, paused }));
    paused.next(true);
    finish('a');
    expect([seen.text, started.join('')]).toEqual(['a', 'a']);
    paused.next(false);
    expect(started.join('')).toBe('ab');
  });

  it('reports the totals', () => {
    const scheduler = new VirtualTimeScheduler();
    const { runner, finish, fail } = controlledJobs();
    const totals = new BehaviorSubject<PipelineTotals | undefined>(undefined);
    collect(runAll(runner, letters('abcd'), { concurrency: 2, totals, scheduler }));
    expect(totals.value).toEqual({
      taken: 2,
      waiting: 0,
      inFlight: 2,
      done: 0,
      failed: 0,
      ended: 0,
      executionTime: 0,
      retried: 0,
      rate: 0,
      total: 4,
    });
    scheduler.schedule(() => {
      finish('a');
      fail('b');
    }, 4000);
    scheduler.flush();
    expect(totals.value).toMatchObject({
      taken: 4,
      inFlight: 2,
      done: 1,
      failed: 1,
      ended: 2,
      rate: 0.5,
      remaining: 4000,
    });
  });

  it('errors with what deadLetters throws, and cancels the jobs in flight', () => {
    const { runner, running, fail } = controlledJobs();
    const thrown = new Error('mine');
    const deadLetters = {
      next: () => {
        throw thrown;
      },
    };
    const seen = collect(runAll(runner, letters('abc'), { concurrency: 2, deadLetters }));
    fail('a');
    expect([seen.error, running()]).toEqual([thrown, []]);
  });

  it.each([0, -1, 1.5, NaN])('refuses a concurrency of %s', (concurrency) => {
    expect(() => runAll(() => NEVER, [], { concurrency })).toThrow('concurrency is');
  });

  it('refuses an Observable as inputs', () => {
    expect(() => runAll(() => NEVER, of({ input: {} }) as never)).toThrow('runEach');
  });
});
