import {
  BehaviorSubject,
  NEVER,
  Observable,
  Subject,
  VirtualTimeScheduler,
  concat,
  config,
  of,
  queueScheduler,
  takeUntil,
  throwError,
} from 'rxjs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ConnectionError } from '../../src/errors/ConnectionError.js';
import type { PipelineItem } from '../../src/pipelines/PipelineItem.js';
import type { PipelineTotals } from '../../src/pipelines/PipelineProgress.js';
import { runAll } from '../../src/pipelines/runAll.js';
import { runEach, type RunEachOptions } from '../../src/pipelines/runEach.js';
import type { JobRequest } from '../../src/types/JobRequest.js';
import type { JobSnapshot } from '../../src/types/JobSnapshot.js';
import { job } from '../fixtures/snapshots.js';
import { collect, completed, controlledJobs, letters, type Letter } from './letters.js';

const refusedBecause = (message: string, retryable = true) =>
  new ConnectionError(message, { operation: 'run', accepted: 'no' }, { phase: 'connect', retryable });
const refused = refusedBecause('no');
const queued = (id: string) => job('IN_QUEUE', { id }) as JobSnapshot<string>;

/** The only item of a runner that fails so. */
function failedItemOf(job$: Observable<JobSnapshot<string>>): PipelineItem<Letter, string> {
  const { items } = collect(runAll(() => job$, letters('a')));
  expect(items).toHaveLength(1);
  return items[0]!;
}

/** Keeps the last totals. */
function totalsOf() {
  const totals = new BehaviorSubject<PipelineTotals | undefined>(undefined);
  return { totals, last: () => totals.value };
}

describe('a callback that unsubscribes', () => {
  it('S24 keeps a job from starting where `totals` unsubscribes before its start', () => {
    const { runner, started } = controlledJobs();
    const stop$ = new Subject<void>();
    const totals = {
      next: ({ inFlight }: PipelineTotals) => {
        if (inFlight === 1) stop$.next();
      },
    };
    collect(runAll(runner, letters('ab'), { totals }).pipe(takeUntil(stop$)));
    expect(started).toEqual([]);
  });

  it('S1 S13 S24 keeps a job from being submitted again where `retry.on` unsubscribes', () => {
    const scheduler = new VirtualTimeScheduler();
    const { runner, started, error } = controlledJobs();
    const stop$ = new Subject<void>();
    const on = () => {
      stop$.next();
      return true;
    };
    collect(runAll(runner, letters('a'), { retry: { count: 1, on }, scheduler }).pipe(takeUntil(stop$)));
    error('a', refused);
    scheduler.flush();
    expect([started, scheduler.now()]).toEqual([['a'], 0]);
  });
});

describe('a callback that throws', () => {
  const thrown = new Error('mine');
  const throws = () => {
    throw thrown;
  };

  it.each([
    ['retry.on', { retry: { count: 1, on: throws } }],
    ['retry.delay', { retry: { count: 1, delay: throws } }],
  ])(
    'S24 ends the pipeline with what it throws, after the item whose job failed, and cancels the jobs in flight: %s',
    (_name, options) => {
      const { runner, error, finish, running } = controlledJobs();
      const seen = collect(runAll(runner, letters('abc'), { concurrency: 3, order: 'input', ...options }));
      finish('b');
      error('a', refused);
      expect([seen.text, seen.error, running()]).toEqual(['Ab#', thrown, []]);
    },
  );

  it('S24 ends the pipeline with what `totals` throws', () => {
    const { runner, started } = controlledJobs();
    const seen = collect(runAll(runner, letters('abc'), { totals: { next: throws } }));
    expect([seen.text, seen.error, started]).toEqual(['#', thrown, []]);
  });
});

describe('the totals', () => {
  it('hold how long all attempts ran, those that failed included', () => {
    const scheduler = new VirtualTimeScheduler();
    const { totals, last } = totalsOf();
    const ends = [
      job('FAILED', { id: 'a', error: 'broken', executionTime: 3_000 }),
      job('COMPLETED', { id: 'a', output: 'a', executionTime: 4_000 }),
      job('CANCELLED', { id: 'b', executionTime: 500 }),
      job('COMPLETED', { id: 'c', output: 'c' }),
    ] as JobSnapshot<string>[];
    const retry = { count: 1, on: (error: unknown) => String(error).includes('broken') };
    collect(runAll(() => of(ends.shift()!), letters('abc'), { concurrency: 1, retry, scheduler, totals }));
    scheduler.flush();
    expect(last()).toMatchObject({ done: 2, failed: 1, ended: 3, retried: 1, executionTime: 7_500 });
  });
});

describe('a retry', () => {
  it('S1 happens as often as `retry` says, and no more', () => {
    const scheduler = new VirtualTimeScheduler();
    const { totals, last } = totalsOf();
    const seen = collect(runAll(() => throwError(() => refused), letters('a'), { retry: 2, scheduler, totals }));
    expect(last()).toMatchObject({ retried: 1, inFlight: 1, failed: 0 });
    scheduler.flush();
    expect(seen.text).toBe('A|');
    expect(seen.items).toMatchObject([{ attempts: 3, error: refused }]);
    expect(last()).toMatchObject({ retried: 2, inFlight: 0, failed: 1 });
  });

  it.each([
    ['an error of no known kind', new Error('what?')],
    ['an error that no repetition helps', refusedBecause('never', false)],
    [
      'a lost submission',
      new ConnectionError('lost', { operation: 'run', accepted: 'unknown' }, { phase: 'sent', retryable: true }),
    ],
    ['a foreign error that looks like a refusal', Object.assign(new Error('no'), { accepted: 'no', retryable: true })],
  ])('S1 does not happen by default after %s', (_name, error) => {
    let runs = 0;
    const seen = collect(
      runAll(
        () => {
          runs++;
          return throwError(() => error);
        },
        letters('a'),
        { retry: 5, scheduler: queueScheduler },
      ),
    );
    expect([seen.text, runs]).toEqual(['A|', 1]);
  });

  it('does not happen by default after a refusal where `retry` is not given', () => {
    const scheduler = new VirtualTimeScheduler();
    expect(collect(runAll(() => throwError(() => refused), letters('a'), { scheduler })).text).toBe('A|');
  });

  it('asks `delay` with the error and the number of the attempt', () => {
    const scheduler = new VirtualTimeScheduler();
    const asked: unknown[] = [];
    const delay = (error: unknown, attempt: number) => {
      asked.push([error, attempt]);
      return 10 * attempt;
    };
    collect(runAll(() => throwError(() => refused), letters('a'), { retry: { count: 2, delay }, scheduler }));
    scheduler.flush();
    expect([asked, scheduler.now()]).toEqual([
      [
        [refused, 1],
        [refused, 2],
      ],
      30,
    ]);
  });

  it('S13 leaves no timer behind after unsubscribe', () => {
    const scheduler = new VirtualTimeScheduler();
    const options = { retry: 1, scheduler };
    collect(runAll(() => throwError(() => refused), letters('a'), options)).subscription.unsubscribe();
    scheduler.flush();
    expect(scheduler.now()).toBe(0);
  });

  it('S24 whose scheduler acts synchronously can still be cancelled', () => {
    const { runner, started, running } = controlledJobs();
    let runs = 0;
    const failsOnce = (request: JobRequest<Letter>, index: number) =>
      ++runs === 1 ? throwError(() => refused) : runner(request, index);
    const seen = collect(runAll(failsOnce, letters('a'), { retry: { count: 1, delay: 0 }, scheduler: queueScheduler }));
    expect([started, running()]).toEqual([['a'], ['a']]);
    seen.subscription.unsubscribe();
    expect(running()).toEqual([]);
  });

  it('keeps its slot during the pause', () => {
    const scheduler = new VirtualTimeScheduler();
    const { runner, started, error } = controlledJobs();
    collect(runAll(runner, letters('ab'), { concurrency: 1, retry: 1, scheduler }));
    error('a', refused);
    expect(started).toEqual(['a']);
    scheduler.flush();
    expect(started).toEqual(['a', 'a']);
  });
});

describe('a failed item', () => {
  const request = { input: { letter: 'a' } };

  it('has no details where the error and the runner give none', () => {
    expect(failedItemOf(throwError(() => undefined))).toStrictEqual({
      ok: false,
      index: 0,
      request,
      error: undefined,
      attempts: 1,
    });
  });

  it('has the last snapshot, and its id', () => {
    const snapshot = queued('j');
    const item = failedItemOf(
      concat(
        of(snapshot),
        throwError(() => 'broken'),
      ),
    );
    expect(item).toStrictEqual({ ok: false, index: 0, request, error: 'broken', snapshot, jobId: 'j', attempts: 1 });
  });

  it('S3 has the snapshot, the id and the ref of its error before those of the last snapshot', () => {
    const ref = { v: 1, endpointId: 'demo', id: 'r' } as const;
    const error = { snapshot: queued('e'), jobId: 'f', ref };
    const item = failedItemOf(
      concat(
        of(queued('j')),
        throwError(() => error),
      ),
    );
    expect(item).toStrictEqual({ ok: false, index: 0, request, error, ...error, attempts: 1 });
  });

  it('S3 has the error of a job that failed', () => {
    const item = failedItemOf(of(job('FAILED', { id: 'j', error: 'broken' }) as JobSnapshot<string>));
    expect(item).toMatchObject({ jobId: 'j', error: { code: 'job_failed', operation: 'status', jobId: 'j' } });
  });

  it('has no snapshot of an earlier attempt', () => {
    const jobs = [
      concat(
        of(queued('j')),
        throwError(() => 'first'),
      ),
      throwError(() => 'second'),
    ];
    let runs = 0;
    const { items } = collect(
      runAll(() => jobs[runs++]!, letters('a'), {
        retry: { count: 1, delay: 0, on: () => true },
        scheduler: queueScheduler,
      }),
    );
    expect(items).toStrictEqual([{ ok: false, index: 0, request, error: 'second', attempts: 2 }]);
  });

  it('is not made where a job completed and its runner errors afterwards', () => {
    const runner = () =>
      new Observable<JobSnapshot<string>>((subscriber) => {
        subscriber.next(completed('a'));
        subscriber.error(new Error('too late'));
      });
    const { totals, last } = totalsOf();
    expect(collect(runAll(runner, letters('a'), { totals })).text).toBe('a|');
    expect(last()).toMatchObject({ done: 1, failed: 0 });
  });

  it('S24 under throw gives its error where that is undefined, too', () => {
    const { runner, error } = controlledJobs();
    const seen = collect(runAll(runner, letters('ab'), { onError: 'throw' }));
    error('b', undefined);
    expect(seen.text).toBe('#');
  });

  it('S24 under stop: the first error counts', () => {
    const { runner, error } = controlledJobs();
    const seen = collect(runAll(runner, letters('ab'), { onError: 'stop' }));
    error('b', 'first');
    error('a', 'second');
    expect([seen.text, seen.error]).toEqual(['BA#', 'first']);
  });

  it('names the last status where its runner completed too early', () => {
    expect(failedItemOf(of(queued('j')))).toMatchObject({
      error: {
        message: expect.stringContaining('its last status was IN_QUEUE') as string,
        operation: 'run',
        jobId: 'j',
        accepted: 'unknown',
      },
    });
    expect(failedItemOf(of())).toMatchObject({
      error: { message: expect.stringContaining('its last status was none') as string },
    });
  });
});

describe('the controls of a pipeline', () => {
  it.each(['concurrency', 'paused'] as const)(
    'S24 where %s errors, emit the items in flight, then the error',
    (name) => {
      const { runner, finish, started } = controlledJobs();
      const concurrency = new BehaviorSubject(1);
      const paused = new BehaviorSubject(false);
      const broken = new Error('broken');
      const seen = collect(runAll(runner, letters('abc'), { concurrency, paused }));
      ({ concurrency, paused })[name].error(broken);
      expect([seen.text, started]).toEqual(['', ['a']]);
      finish('a');
      expect([seen.text, seen.error, started]).toEqual(['a#', broken, ['a']]);
    },
  );

  it.each([0, NaN, 0.9])('end the pipeline where the last concurrency is %s', (last) => {
    let opened = 0;
    const inputs = {
      [Symbol.iterator]: () => {
        opened++;
        return letters('a').values();
      },
    };
    const { error } = collect(runAll<Letter, string>(() => NEVER, inputs, { concurrency: of(last) }));
    expect(error).toMatchObject({
      code: 'configuration',
      operation: 'run',
      message: expect.stringMatching(/its last number was not above 0|emitted NaN: it must be a number/) as string,
    });
    expect(opened).toBe(0);
  });

  it('round a concurrency down', () => {
    const { runner, started } = controlledJobs();
    collect(runAll(runner, letters('abcd'), { concurrency: of(1, 2.9) }));
    expect(started).toEqual(['a', 'b']);
  });

  it('S24 unsubscribe from their Observables when the pipeline ends', () => {
    const concurrency = new BehaviorSubject(1);
    const paused = new BehaviorSubject(false);
    const { runner, finish } = controlledJobs();
    const seen = collect(runAll(runner, letters('a'), { concurrency, paused }));
    expect([concurrency.observed, paused.observed]).toEqual([true, true]);
    finish('a');
    expect([seen.text, concurrency.observed, paused.observed]).toEqual(['a|', false, false]);
  });

  it('S24 take nothing from the inputs while paused from the start', () => {
    let taken = 0;
    function* inputs() {
      for (const request of letters('ab')) {
        taken++;
        yield request;
      }
    }
    collect(runAll(() => NEVER, inputs(), { paused: of(true) }));
    expect(taken).toBe(0);
  });
});

describe('a buffer', () => {
  function pushed(options: RunEachOptions<Letter, string>) {
    const source = new Subject<JobRequest<Letter>>();
    const jobs = controlledJobs();
    const seen = collect(source.pipe(runEach(jobs.runner, { concurrency: 1, ...options })));
    return { source, seen, ...jobs };
  }

  it('may have no room at all', () => {
    const { source, seen, started } = pushed({ buffer: 0, overflow: 'drop-newest' });
    for (const request of letters('ab')) source.next(request);
    expect([seen.text, started]).toEqual(['B', ['a']]);
  });

  it('S24 names the input, the number that waited and the option in its error', () => {
    const { source, seen } = pushed({ buffer: 1, overflow: 'drop-newest' });
    for (const request of letters('abc')) source.next(request);
    expect(seen.items).toMatchObject([
      {
        index: 2,
        error: {
          message: 'input 2 came while 1 were waiting already (option overflow: drop-newest)',
          operation: 'run',
          accepted: 'no',
        },
      },
    ]);
  });

  it('S24 in the order of the inputs, emits dropped items at once', () => {
    const { source, seen, finish } = pushed({ buffer: 0, overflow: 'drop-newest', order: 'input' });
    for (const request of letters('ab')) source.next(request);
    expect(seen.text).toBe('B');
    source.complete();
    finish('a');
    expect(seen.text).toBe('Ba|');
  });

  it('S24 overflows with an error, too, where the source completes while the pipeline takes a step', () => {
    const source = new Subject<JobRequest<Letter>>();
    const { runner, finish } = controlledJobs();
    const pushesWhileStarting = (request: JobRequest<Letter>, index: number) => {
      if (index === 0) {
        for (const each of letters('bc')) source.next(each);
        source.complete();
      }
      return runner(request, index);
    };
    const seen = collect(source.pipe(runEach(pushesWhileStarting, { concurrency: 1, buffer: 1 })));
    source.next(letters('a')[0]!);
    finish('a');
    finish('b');
    expect([seen.text, seen.error]).toEqual(['Cab#', expect.objectContaining({ code: 'buffer_overflow' })]);
  });

  it('is counted in the totals', () => {
    const { totals, last } = totalsOf();
    const scheduler = new VirtualTimeScheduler();
    const { source, finish } = pushed({ totals, scheduler });
    scheduler.schedule(() => undefined, 1000);
    scheduler.flush();
    for (const request of letters('abc')) source.next(request);
    finish('a');
    expect(last()).toMatchObject({ taken: 3, waiting: 1, inFlight: 1, done: 1 });
    expect(last()).not.toHaveProperty('total');
    expect(last()).not.toHaveProperty('remaining');
  });

  it('S24 keeps its requests while paused, even after the source has completed', () => {
    const paused = new BehaviorSubject(true);
    const { source, seen, finish } = pushed({ paused });
    source.next(letters('a')[0]!);
    source.complete();
    expect(seen.text).toBe('');
    paused.next(false);
    finish('a');
    expect(seen.text).toBe('a|');
  });

  it('S24 does not delay the item of a job that ends synchronously', () => {
    const source = new Subject<JobRequest<Letter>>();
    const seen = collect(source.pipe(runEach(({ input: { letter } }) => of(completed(letter)), {})));
    source.next(letters('a')[0]!);
    expect(seen.text).toBe('a');
  });

  it('S24 under stop, drops what waits with an error that says so', () => {
    const { source, seen, error } = pushed({ onError: 'stop' });
    for (const request of letters('ab')) source.next(request);
    error('a', 'broken');
    expect(seen.items.at(-1)).toMatchObject({
      index: 1,
      error: { code: 'aborted', operation: 'run', cause: 'broken' },
    });
  });
});

describe('the options of a pipeline', () => {
  it.each([
    ['concurrency', 1, { concurrency: 0 }],
    ['concurrency', 1, { concurrency: 1.5 }],
    ['retry', 0, { retry: -1 }],
    ['retry.count', 0, { retry: { count: -1 } }],
    ['buffer', 0, { buffer: -1 }],
  ])('are refused where %s is below %s, or no whole number: %j', (name, minimum, options) => {
    expect(() => runEach(() => NEVER, options)(NEVER)).toThrow(
      expect.objectContaining({
        code: 'configuration',
        operation: 'runEach',
        message: expect.stringMatching(
          `^${name} is .*: it must be a whole number of at least ${minimum}, or Infinity$`,
        ) as string,
      }),
    );
  });

  it.each([
    { concurrency: 1, retry: 0, buffer: 0 },
    { concurrency: Infinity, retry: Infinity, buffer: Infinity },
    { concurrency: of(0), retry: { count: 0 } },
  ])('are accepted at their bounds: %j', (options) => {
    expect(() => runEach(() => NEVER, options)(NEVER)).not.toThrow();
  });

  it('name runAll where that is called', () => {
    expect(() => runAll(() => NEVER, [], { retry: NaN })).toThrow(expect.objectContaining({ operation: 'runAll' }));
  });
});

describe('a job whose teardown throws', () => {
  const broken = new Error('the teardown throws');
  it('does not keep the other jobs from being cancelled on unsubscribe', () => {
    const cancelled: number[] = [];
    const runner = (_: JobRequest<Letter>, index: number) =>
      new Observable<JobSnapshot<string>>(() => () => {
        cancelled.push(index);
        if (index === 0) throw broken;
      });
    const subscription = runAll(runner, letters('abc'), { concurrency: 3 }).subscribe();
    expect(() => {
      subscription.unsubscribe();
    }).toThrow();
    expect(cancelled).toEqual([0, 1, 2]);
  });

  it('S24 does not lose its result, nor the jobs after it', async () => {
    const unhandled: unknown[] = [];
    config.onUnhandledError = (error) => unhandled.push(error);
    onTestFinished(() => {
      config.onUnhandledError = null;
    });
    const jobs = new Subject<JobSnapshot<string>>();
    const runner = () =>
      new Observable<JobSnapshot<string>>((subscriber) => {
        const subscription = jobs.subscribe(subscriber);
        return () => {
          subscription.unsubscribe();
          throw broken;
        };
      });
    const { items } = collect(runAll(runner, letters('ab'), { concurrency: 1 }));
    jobs.next(completed('a'));
    jobs.next(completed('b'));
    expect(items.map(({ ok }) => ok)).toEqual([true, true]);
    await expect.poll(() => unhandled.length).toBe(2);
  });
});
