import { EMPTY, NEVER, Subject, config, of, queueScheduler, throwError } from 'rxjs';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  ConfigurationError,
  SkippedError,
  failover,
  hedge,
  runAll,
  type PipelineItem,
  type PipelineTotals,
  type Runner,
} from 'runpod-rx';
import { collect, completed, controlledJobs, letters, type Letter } from './letters.js';

type Item = PipelineItem<Letter, string>;
const broken = new Error('the disk is full');

/** A commit that ends when the test says so. */
function controlledCommit() {
  const commits = new Map<string, Subject<never>>();
  const commit = ({ request: { input } }: Item) => {
    const commit$ = new Subject<never>();
    commits.set(input.letter, commit$);
    return commit$;
  };
  return { commit, commits, store: (letter: string) => commits.get(letter)!.complete() };
}

describe('S35 commit', () => {
  it('is awaited before an item is emitted, and keeps the slot of the item', () => {
    const { runner, started, finish } = controlledJobs();
    const { commit, commits, store } = controlledCommit();
    const seen = collect(runAll(runner, letters('abc'), { concurrency: 2, commit }));
    finish('a');
    finish('b');
    expect([seen.text, started, [...commits.keys()]]).toEqual(['', ['a', 'b'], ['a', 'b']]);
    store('b');
    expect([seen.text, started]).toEqual(['b', ['a', 'b', 'c']]);
    store('a');
    finish('c');
    expect(seen.text).toBe('ba');
    store('c');
    expect(seen.text).toBe('bac|');
  });

  it('is called as jobs finish, also where the items come in the order of the inputs', () => {
    const { runner, finish } = controlledJobs();
    const { commit, commits, store } = controlledCommit();
    const seen = collect(runAll(runner, letters('ab'), { order: 'input', commit }));
    finish('b');
    expect([...commits.keys()]).toEqual(['b']);
    store('b');
    expect(seen.text).toBe('');
    finish('a');
    store('a');
    expect(seen.text).toBe('ab|');
  });

  it('gets failed items, too, and dead letters come after it', () => {
    const { runner, fail } = controlledJobs();
    const { commit, store } = controlledCommit();
    const dead: unknown[] = [];
    const seen = collect(runAll(runner, letters('a'), { commit, deadLetters: { next: (item) => dead.push(item) } }));
    fail('a');
    expect([dead, seen.text]).toEqual([[], '']);
    store('a');
    expect(dead).toMatchObject([{ ok: false, error: { code: 'job_failed' } }]);
    expect(seen.text).toBe('|');
  });

  it.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw broken;
      },
    ],
    ['errors', () => throwError(() => broken)],
    ['gives nothing to wait for', () => undefined],
  ])('that %s makes a failed item with the end of the job, which is not run again', (_, commit) => {
    let runs = 0;
    const runner: Runner<Letter, string> = () => {
      runs++;
      return of(completed('a'));
    };
    const retry = { count: 3, delay: 0, on: () => true };
    const seen = collect(runAll(runner, letters('a'), { commit: commit as () => never, retry }));
    expect(seen.text).toBe('A|');
    expect(seen.items).toMatchObject([
      { ok: false, jobId: 'a', error: { code: 'hook', hook: 'commit' }, snapshot: { output: 'a' } },
    ]);
    expect(runs).toBe(1);
  });

  it('that fails stops a pipeline with onError: stop', () => {
    const commit = () => throwError(() => broken);
    const seen = collect(runAll(() => of(completed('x')), letters('abc'), { commit, concurrency: 1, onError: 'stop' }));
    expect(seen.text).toBe('A#');
  });

  it('goes on when the pipeline is unsubscribed from, and its failure is reported', () => {
    const unhandled: unknown[] = [];
    config.onUnhandledError = (error) => unhandled.push(error);
    onTestFinished(() => {
      config.onUnhandledError = null;
    });
    const { runner, finish } = controlledJobs();
    const { commit, commits } = controlledCommit();
    const seen = collect(runAll(runner, letters('a'), { commit }));
    finish('a');
    seen.subscription.unsubscribe();
    expect(commits.get('a')!.observed).toBe(true);
    commits.get('a')!.error(broken);
    expect(unhandled).toMatchObject([{ code: 'hook', snapshot: { output: 'a' } }]);
  });

  it('is not called for inputs that were never given to the runner', () => {
    const committed: number[] = [];
    const commit = ({ index }: Item) => {
      committed.push(index);
      return [];
    };
    const failing = () => throwError(() => broken);
    collect(runAll(failing, letters('abc'), { concurrency: 1, commit, onError: 'stop' }));
    expect(committed).toEqual([0]);
  });
});

describe('S35 a runner that remembers', () => {
  it('is told when a result is final and stored, and a failure of that is a failed item', () => {
    const calls: string[] = [];
    const run: Runner<Letter, string> = ({ input: { letter } }) => of(completed(letter));
    const runner = Object.assign(run, {
      committed: ({ request, index }: Item) => {
        const { letter } = request.input;
        calls.push(`committed ${letter} ${index}`);
        return letter === 'b' ? throwError(() => broken) : [];
      },
    });
    const commit = ({ index }: Item) => {
      calls.push(`commit ${index}`);
      return [];
    };
    const seen = collect(runAll(runner, letters('ab'), { concurrency: 1, commit }));
    expect(calls).toEqual(['commit 0', 'committed a 0', 'commit 1', 'committed b 1']);
    expect(seen.text).toBe('aB|');
    expect(seen.items[1]).toMatchObject({ error: { code: 'hook', hook: 'committed' }, snapshot: { output: 'b' } });
  });

  it.each(['hedge', 'failover'] as const)('is told within %s, too', (name) => {
    const told: string[] = [];
    const remembering = (of: string, run: Runner<Letter, string>) =>
      Object.assign(run, {
        committed: ({ request }: Item) => {
          told.push(`${of} ${request.input.letter}`);
          return EMPTY;
        },
      });
    const refused = new ConfigurationError('no', { operation: 'run', accepted: 'no' });
    const here = remembering('here', () => throwError(() => refused));
    const there = remembering('there', ({ input: { letter } }) => of(completed(letter)));
    const runner = name === 'hedge' ? hedge(there, { after: Infinity }) : failover([here, there]);
    const seen = collect(runAll(runner, letters('ab'), { concurrency: 1, commit: () => EMPTY }));
    expect(seen.text).toBe('ab|');
    expect(told).toEqual(name === 'hedge' ? ['there a', 'there b'] : ['here a', 'there a', 'here b', 'there b']);
  });

  it('makes a failed item where it fails within failover', () => {
    const run: Runner<Letter, string> = ({ input: { letter } }) => of(completed(letter));
    const runner = Object.assign(run, { committed: () => throwError(() => broken) });
    const seen = collect(runAll(failover([runner]), letters('a'), { commit: () => EMPTY }));
    expect(seen.items).toMatchObject([
      { ok: false, error: { code: 'hook', hook: 'committed' }, snapshot: { output: 'a' } },
    ]);
  });

  it('is not told where nobody stores results', () => {
    const run: Runner<Letter, string> = ({ input: { letter } }) => of(completed(letter));
    let calls = 0;
    const committed = () => {
      calls++;
      return [];
    };
    const seen = collect(runAll(Object.assign(run, { committed }), letters('ab')));
    expect([seen.text, calls]).toEqual(['ab|', 0]);
  });

  it('is told which attempt an input is given for', () => {
    const attempts: unknown[] = [];
    const runner: Runner<Letter, string> = ({ input: { letter } }, index, attempt) => {
      attempts.push([index, attempt]);
      return attempt === 1 ? throwError(() => broken) : of(completed(letter));
    };
    const retry = { count: 1, delay: 0, on: () => true };
    const options = { concurrency: 1, retry, scheduler: queueScheduler };
    expect(collect(runAll(failover([hedge(runner, { after: Infinity })]), letters('ab'), options)).text).toBe('ab|');
    expect(attempts).toEqual([
      [0, 1],
      [0, 2],
      [1, 1],
      [1, 2],
    ]);
  });

  it.each(['finished', 'input'] as const)('has no item for an input that it skips (order: %s)', (order) => {
    const skipped = new SkippedError('committed before', { operation: 'run' });
    const runner: Runner<Letter, string> = ({ input: { letter } }) =>
      'bd'.includes(letter) ? throwError(() => skipped) : of(completed(letter));
    let totals: PipelineTotals | undefined;
    const commit = () => [];
    const seen = collect(
      runAll(runner, letters('abcd'), { concurrency: 1, order, commit, totals: { next: (value) => (totals = value) } }),
    );
    expect(seen.text).toBe('ac|');
    expect(totals).toMatchObject({ taken: 4, done: 2, failed: 0, skipped: 2, ended: 4, inFlight: 0, remaining: 0 });
  });

  it('has an input that it skips run by no other runner, whatever failover goes on after', () => {
    const skipped = new SkippedError('committed before', { operation: 'run' });
    const { runner, started } = controlledJobs();
    const errors: unknown[] = [];
    const options = { on: () => true, onError: (error: unknown) => errors.push(error) };
    const seen = collect(runAll(failover([() => throwError(() => skipped), runner], options), letters('a')));
    expect([seen.text, started, errors]).toEqual(['|', [], []]);
  });

  it('keeps the slots of later inputs free behind one that it skips', () => {
    const { runner, finish } = controlledJobs();
    const skipped = new SkippedError('committed before', { operation: 'run' });
    const skipping: Runner<Letter, string> = (request, index) =>
      index === 1 ? throwError(() => skipped) : runner(request, index);
    const seen = collect(runAll(skipping, letters('abcd'), { concurrency: 2, order: 'input' }));
    finish('c');
    finish('a');
    expect(seen.text).toBe('ac');
    finish('d');
    expect(seen.text).toBe('acd|');
  });

  it('waits for a commit that never ends, and takes no further input', () => {
    const seen = collect(runAll(() => of(completed('x')), letters('abc'), { concurrency: 2, commit: () => NEVER }));
    expect(seen.text).toBe('');
  });
});
