import {
  BehaviorSubject,
  NEVER,
  Subject,
  VirtualTimeScheduler,
  finalize,
  of,
  take,
  takeUntil,
  throwError,
  type Observable,
} from 'rxjs';
import { describe, expect, it } from 'vitest';
import { ConnectionError } from '../../src/errors/ConnectionError.js';
import { SubmissionUnknownError } from '../../src/errors/SubmissionUnknownError.js';
import type { PipelineItem } from '../../src/pipelines/PipelineItem.js';
import type { PipelineTotals } from '../../src/pipelines/PipelineProgress.js';
import type { Runner } from '../../src/pipelines/Runner.js';
import { runAll } from '../../src/pipelines/runAll.js';
import type { JobSnapshot } from '../../src/types/JobSnapshot.js';
import { job } from '../fixtures/snapshots.js';
import { completed, letters } from './letters.js';
import { httpError } from '../support/scripted.js';

type Item = PipelineItem<{ letter: string }, string>;

const refused = () =>
  new ConnectionError('could not connect', { operation: 'run', accepted: 'no' }, { phase: 'connect', retryable: true });
const lost = () => new SubmissionUnknownError('lost', { operation: 'run', accepted: 'unknown' });
const failed = (id: string) => job('FAILED', { id, error: 'broken' }) as JobSnapshot<string>;

/** Jobs that end when the test says so; and what was begun, and left. */
function stage() {
  const jobs = new Map<string, Subject<JobSnapshot<string>>>();
  const begun: string[] = [];
  const runner: Runner<{ letter: string }, string> = ({ input: { letter } }) => {
    begun.push(letter);
    const job$ = new Subject<JobSnapshot<string>>();
    jobs.set(letter, job$);
    return job$;
  };
  return {
    runner,
    begun,
    finish: (letter: string) => jobs.get(letter)!.next(completed(letter)),
    fail: (letter: string) => jobs.get(letter)!.next(failed(letter)),
    error: (letter: string, error: unknown) => jobs.get(letter)!.error(error),
    live: () => [...jobs].filter(([, job$]) => job$.observed).map(([letter]) => letter),
  };
}

/** What came: letters, in capitals of those that failed; `|` at the end, or the error. */
function see(items$: Observable<Item>) {
  const seen: { text: string; items: Item[]; error?: unknown } = { text: '', items: [] };
  const subscription = items$.subscribe({
    next: (item) => {
      const { letter } = item.request.input;
      seen.text += item.ok ? letter : letter.toUpperCase();
      seen.items.push(item);
    },
    error: (error: unknown) => {
      seen.text += '#';
      seen.error = error;
    },
    complete: () => (seen.text += '|'),
  });
  return Object.assign(seen, { subscription });
}

describe('runAll', () => {
  it('S24 takes an input only when there is room, and gives items as they finish', () => {
    const { runner, begun, finish } = stage();
    const taken: string[] = [];
    function* inputs() {
      for (const letter of letters('abcd')) {
        taken.push(letter.input.letter);
        yield letter;
      }
    }
    const seen = see(runAll(runner, inputs(), { concurrency: 2 }));
    expect([taken, begun]).toEqual([
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

  it('S24 in the order of the inputs, a job keeps its place until its item was given', () => {
    const { runner, begun, finish } = stage();
    const seen = see(runAll(runner, letters('abcd'), { concurrency: 2, order: 'input' }));
    finish('b');
    expect([seen.text, begun.join('')]).toEqual(['', 'ab']);
    finish('a');
    expect([seen.text, begun.join('')]).toEqual(['ab', 'abcd']);
    finish('d');
    finish('c');
    expect(seen.text).toBe('abcd|');
  });

  it('S24 never takes more than one beyond its concurrency of a million inputs, and needs no stack for them', () => {
    let taken = 0;
    let ended = 0;
    let most = 0;
    function* million() {
      for (; taken < 1_000_000;) {
        taken++;
        most = Math.max(most, taken - ended);
        yield { input: { letter: 'a' } };
      }
    }
    const done = completed('a');
    const waiting: Subject<JobSnapshot<string>>[] = [];
    // Every third ends later, in bunches.
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

  it('S24 needs no stack where every job ends at once', () => {
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

  it('S24 runs ten at a time where nothing is said', () => {
    const { runner, begun } = stage();
    see(runAll(runner, letters('abcdefghijklmn')));
    expect(begun.join('')).toBe('abcdefghij');
  });

  it('gives one item for each input, whatever a runner says after the end', () => {
    expect(see(runAll(() => of(completed('a'), completed('b')), letters('a'))).text).toBe('a|');
  });

  it('S24 leaves a job that was being begun when it was left', () => {
    const left$ = new Subject<void>();
    let leaves = 0;
    const runner = () => {
      left$.next();
      return NEVER.pipe(finalize<JobSnapshot<string>>(() => leaves++));
    };
    see(runAll(runner, letters('ab')).pipe(takeUntil(left$)));
    expect(leaves).toBe(1);
  });

  it('S24 asks an async iterable for one at a time, and calls its return when it is left', async () => {
    const { runner, begun, live } = stage();
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
    const seen = see(runAll(runner, inputs, { concurrency: 3 }));
    expect(asked).toBe(1);
    await new Promise(setImmediate);
    expect([asked, begun.join('')]).toEqual([3, 'abc']);
    seen.subscription.unsubscribe();
    expect([returned, live()]).toEqual([1, []]);
  });

  it('S24 leaving leaves what is in flight, and calls the return of an iterator', () => {
    const { runner, begun, live } = stage();
    let closed = false;
    function* inputs() {
      try {
        yield* letters('abc');
      } finally {
        closed = true;
      }
    }
    const { subscription } = see(runAll(runner, inputs(), { concurrency: 2 }));
    expect(live()).toEqual(['a', 'b']);
    subscription.unsubscribe();
    expect([live(), closed, begun.join('')]).toEqual([[], true, 'ab']);
  });

  it('stops within a run of jobs that end at once when it is left there', () => {
    let begun = 0;
    const runner = () => {
      begun++;
      return of(completed('a'));
    };
    const seen = see(runAll(runner, letters('abcdefgh'), { concurrency: 3 }).pipe(take(2)));
    expect([seen.text, begun]).toEqual(['ab|', 2]);
  });

  it('S24 a source that throws midway: what is in flight is given, then its error', () => {
    const { runner, finish } = stage();
    const broken = new Error('disk');
    function* inputs() {
      yield* letters('ab');
      throw broken;
    }
    const seen = see(runAll(runner, inputs(), { concurrency: 5 }));
    finish('b');
    expect(seen.text).toBe('b');
    finish('a');
    expect([seen.text, seen.error]).toEqual(['ba#', broken]);
  });

  it('begins anew with each subscription', () => {
    const all$ = runAll(() => of(completed('a')), letters('ab'));
    expect([see(all$).text, see(all$).text]).toEqual(['ab|', 'ab|']);
  });

  it('completes at once without inputs', () => {
    expect(see(runAll(() => NEVER, [])).text).toBe('|');
  });

  describe('a failed item', () => {
    it('S24 says why, and the others go on', () => {
      const { runner, fail, error, finish } = stage();
      const seen = see(runAll(runner, letters('abc'), { concurrency: 2 }));
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

    it('is one whose runner throws, or completes before its job is over', () => {
      const seen = see(
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

    it('S24 under throw errors at once, and leaves what is in flight', () => {
      const { runner, fail, live } = stage();
      const seen = see(runAll(runner, letters('abcd'), { concurrency: 2, order: 'input', onError: 'throw' }));
      fail('b');
      expect([seen.text, live()]).toEqual(['#', []]);
      expect(seen.error).toMatchObject({ code: 'job_failed', jobId: 'b' });
    });

    it('S24 under throw, in the order of the inputs, goes to deadLetters before those that came before it', () => {
      const { runner, fail } = stage();
      const dead: number[] = [];
      const deadLetters = { next: ({ index }: { index: number }) => dead.push(index) };
      see(runAll(runner, letters('ab'), { order: 'input', onError: 'throw', deadLetters }));
      fail('b');
      expect(dead).toEqual([1]);
    });

    it('S24 under throw, in the order of the inputs, gives what has ended before it errors', () => {
      const { runner, finish, fail, live } = stage();
      const seen = see(runAll(runner, letters('abcdef'), { concurrency: 5, order: 'input', onError: 'throw' }));
      finish('e');
      finish('b');
      expect([seen.text, live().join('')]).toEqual(['', 'acd']);
      fail('c');
      expect([seen.text, live()]).toEqual(['be#', []]);
      expect(seen.error).toMatchObject({ code: 'job_failed', jobId: 'c' });
    });

    it('S24 under stop takes no more, gives what is in flight, then errors', () => {
      const { runner, fail, finish, begun } = stage();
      const seen = see(runAll(runner, letters('abcd'), { concurrency: 2, onError: 'stop' }));
      fail('b');
      expect([seen.text, begun.join('')]).toEqual(['B', 'ab']);
      finish('a');
      expect(seen.text).toBe('Ba#');
      expect(seen.error).toMatchObject({ code: 'job_failed', jobId: 'b' });
    });

    it.each([
      ['throw', 'c#'],
      ['stop', 'aBc#'],
    ] as const)('S24 in the order of the inputs, what waits behind a slower one is under %s: %s', (onError, given) => {
      const { runner, fail, finish } = stage();
      const seen = see(runAll(runner, letters('abcd'), { concurrency: 3, order: 'input', onError }));
      finish('c');
      fail('b');
      finish('a');
      expect(seen.text).toBe(given);
    });

    it('S24 goes to deadLetters where there are some', () => {
      const { runner, fail, finish } = stage();
      const dead: unknown[] = [];
      const seen = see(runAll(runner, letters('ab'), { deadLetters: { next: (item) => dead.push(item.index) } }));
      fail('a');
      finish('b');
      expect([seen.text, dead]).toEqual(['b|', [0]]);
    });
  });

  describe('retry', () => {
    /** A runner that errors so, and then completes. */
    const flaky = (error: () => unknown, times: number) => {
      let runs = 0;
      const runner = () => (++runs <= times ? throwError(error) : of(completed('a')));
      return { runner, runs: () => runs };
    };

    it('S1 S24 submits again after a second, then two, where the job cannot have been taken', () => {
      const scheduler = new VirtualTimeScheduler();
      const { runner, runs } = flaky(refused, 2);
      const seen = see(runAll(runner, letters('a'), { retry: 2, scheduler }));
      scheduler.flush();
      expect([seen.text, runs(), scheduler.now()]).toEqual(['a|', 3, 3000]);
      expect(seen.items).toMatchObject([{ attempts: 3 }]);
    });

    it('S1 S24 never pays twice, unless it is told to', () => {
      const scheduler = new VirtualTimeScheduler();
      const careful = flaky(lost, 1);
      const seen = see(runAll(careful.runner, letters('a'), { retry: 5, scheduler }));
      scheduler.flush();
      expect([seen.text, careful.runs()]).toEqual(['A|', 1]);
      const told = flaky(lost, 1);
      const again = see(
        runAll(told.runner, letters('a'), { retry: { count: 5, delay: 7, on: () => true }, scheduler }),
      );
      scheduler.flush();
      expect([again.text, told.runs(), scheduler.now()]).toEqual(['a|', 2, 7]);
    });

    it.each([
      [7, 20_000, 20_000],
      [30_000, 20_000, 30_000],
      [2 ** 40, undefined, 2 ** 31 - 1],
    ])('S2 after %s ms, where %s are asked for, comes after %s', (delay, retryAfter, after) => {
      const scheduler = new VirtualTimeScheduler();
      const { runner } = flaky(() => httpError(429, retryAfter), 1);
      const seen = see(runAll(runner, letters('a'), { retry: { count: 1, delay, on: () => true }, scheduler }));
      scheduler.flush();
      expect([seen.text, scheduler.now()]).toEqual(['a|', after]);
    });

    it('is not made of an input that was left', () => {
      const scheduler = new VirtualTimeScheduler();
      const { runner, runs } = flaky(refused, 9);
      see(runAll(runner, letters('a'), { retry: 9, scheduler })).subscription.unsubscribe();
      scheduler.flush();
      expect(runs()).toBe(1);
    });
  });

  it('S24 follows an Observable concurrency: 0 pauses, fewer cancels nothing', () => {
    const { runner, begun, live, finish } = stage();
    const concurrency = new Subject<number>();
    const seen = see(runAll(runner, letters('abcdef'), { concurrency }));
    expect(begun).toEqual([]);
    concurrency.next(3);
    expect(begun.join('')).toBe('abc');
    concurrency.next(0);
    finish('a');
    expect([begun.join(''), live()]).toEqual(['abc', ['b', 'c']]);
    concurrency.next(1);
    finish('b');
    expect(begun.join('')).toBe('abc');
    finish('c');
    expect(begun.join('')).toBe('abcd');
    concurrency.complete();
    for (const letter of 'def') finish(letter);
    expect(seen.text).toBe('abcdef|');
  });

  it('does not wait for ever for a concurrency that will not come', () => {
    const concurrency = new Subject<number>();
    const seen = see(runAll(() => NEVER, letters('a'), { concurrency }));
    concurrency.complete();
    expect(seen.error).toMatchObject({ code: 'configuration' });
  });

  it('S24 takes nothing while it is paused', () => {
    const { runner, begun, finish } = stage();
    const paused = new BehaviorSubject(false);
    const seen = see(runAll(runner, letters('abc'), { concurrency: 1, paused }));
    paused.next(true);
    finish('a');
    expect([seen.text, begun.join('')]).toEqual(['a', 'a']);
    paused.next(false);
    expect(begun.join('')).toBe('ab');
  });

  it('tells how far it is', () => {
    const scheduler = new VirtualTimeScheduler();
    const { runner, finish, fail } = stage();
    const totals = new BehaviorSubject<PipelineTotals | undefined>(undefined);
    see(runAll(runner, letters('abcd'), { concurrency: 2, totals, scheduler }));
    expect(totals.value).toEqual({
      taken: 2,
      waiting: 0,
      inFlight: 2,
      done: 0,
      failed: 0,
      retried: 0,
      rate: 0,
      total: 4,
    });
    scheduler.schedule(() => {
      finish('a');
      fail('b');
    }, 4000);
    scheduler.flush();
    expect(totals.value).toMatchObject({ taken: 4, inFlight: 2, done: 1, failed: 1, rate: 0.5, remaining: 4000 });
  });

  it('errors with what a function of the caller throws, and leaves what is in flight', () => {
    const { runner, live, fail } = stage();
    const thrown = new Error('mine');
    const deadLetters = {
      next: () => {
        throw thrown;
      },
    };
    const seen = see(runAll(runner, letters('abc'), { concurrency: 2, deadLetters }));
    fail('a');
    expect([seen.error, live()]).toEqual([thrown, []]);
  });

  it.each([0, -1, 1.5, NaN])('refuses a concurrency of %s', (concurrency) => {
    expect(() => runAll(() => NEVER, [], { concurrency })).toThrow('concurrency is');
  });

  it('refuses what it cannot pull from', () => {
    expect(() => runAll(() => NEVER, of({ input: {} }) as never)).toThrow('runEach');
  });
});
