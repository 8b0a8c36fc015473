import { NEVER, config, of } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';
import type { PipelineTotals } from '../../src/pipelines/PipelineProgress.js';
import type { PipelineInputs } from '../../src/pipelines/inputs.js';
import { runAll } from '../../src/pipelines/runAll.js';
import { collect, completed, controlledJobs, letters, type Letter } from './letters.js';

const instantly = ({ input: { letter } }: { input: Letter }) => of(completed(letter));
const promises = () => new Promise<void>((resolve) => setImmediate(resolve));

/** An iterable over some letters, with a `return` of one's own. */
function iterableOf(word: string, close: () => unknown): Iterable<{ input: Letter }> {
  return {
    [Symbol.iterator]: () => {
      const iterator = letters(word)[Symbol.iterator]();
      return { next: () => iterator.next(), return: close as () => IteratorResult<{ input: Letter }> };
    },
  };
}

/** The same, asynchronous. */
function asyncIterableOf(word: string, close: () => unknown): AsyncIterable<{ input: Letter }> {
  return {
    [Symbol.asyncIterator]: () => {
      const iterator = letters(word)[Symbol.iterator]();
      return {
        next: () => Promise.resolve(iterator.next()),
        return: close as () => Promise<IteratorResult<{ input: Letter }>>,
      };
    },
  };
}

describe('the inputs of runAll', () => {
  afterEach(() => {
    config.onUnhandledError = null;
  });

  const totalOf = (inputs: PipelineInputs<Letter>) => {
    const reported: (number | undefined)[] = [];
    const totals = { next: ({ total }: PipelineTotals) => reported.push(total) };
    runAll<Letter, unknown>(() => NEVER, inputs, { totals }).subscribe();
    return reported.at(-1);
  };

  it.each<[string, PipelineInputs<Letter>, number | undefined]>([
    ['an array', letters('abc'), 3],
    ['a set', new Set(letters('ab')), 2],
    ['an iterable without a length', letters('ab').values(), undefined],
    ['an async iterable without a length', asyncIterableOf('ab', () => undefined), undefined],
    [
      'an async iterable with a size',
      Object.assign(
        asyncIterableOf('ab', () => undefined),
        { size: 2 },
      ),
      2,
    ],
    [
      'an iterable whose length is no number',
      Object.assign(
        iterableOf('ab', () => undefined),
        { length: '2' },
      ),
      undefined,
    ],
  ])('are counted where their number is known: %s', (_name, inputs, total) => {
    expect(totalOf(inputs)).toBe(total);
  });

  it.each([null, undefined, 7, {}])('are refused where they are not iterable: %s', (inputs) => {
    expect(() => runAll(instantly, inputs as never)).toThrow(
      expect.objectContaining({ code: 'configuration', operation: 'runAll' }),
    );
  });

  it('may come from an async iterable to its end', async () => {
    const seen = collect(
      runAll(
        instantly,
        asyncIterableOf('abc', () => undefined),
      ),
    );
    await promises();
    expect(seen.text).toBe('abc|');
  });

  it('may come from an async iterable that rejects: the items in flight are emitted first', async () => {
    const { runner, finish } = controlledJobs();
    const broken = new Error('disk');
    async function* inputs() {
      yield* letters('a');
      await Promise.reject(broken);
    }
    const seen = collect(runAll(runner, inputs()));
    await promises();
    expect(seen.text).toBe('');
    finish('a');
    expect([seen.text, seen.error]).toEqual(['a#', broken]);
  });

  it('may throw when they are asked for an iterator', () => {
    const broken = new Error('no iterator');
    const inputs: Iterable<{ input: Letter }> = {
      [Symbol.iterator]: () => {
        throw broken;
      },
    };
    const seen = collect(runAll(instantly, inputs));
    expect([seen.text, seen.error]).toEqual(['#', broken]);
  });

  it('are not closed after their end', () => {
    let closes = 0;
    expect(
      collect(
        runAll(
          instantly,
          iterableOf('ab', () => closes++),
        ),
      ).text,
    ).toBe('ab|');
    expect(closes).toBe(0);
  });

  it('are closed once where a failed item stops the pipeline', () => {
    const { runner, fail } = controlledJobs();
    let closes = 0;
    const seen = collect(
      runAll(
        runner,
        iterableOf('abc', () => closes++),
        { concurrency: 1, onError: 'stop' },
      ),
    );
    fail('a');
    expect([seen.text, closes]).toEqual(['A#', 1]);
  });

  it('need no `return`', () => {
    const unhandled: unknown[] = [];
    config.onUnhandledError = (error) => unhandled.push(error);
    const iterator = letters('ab')[Symbol.iterator]();
    const inputs = { [Symbol.iterator]: () => ({ next: () => iterator.next() }) };
    const asyncInputs = { [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => undefined) }) };
    for (const each of [inputs, asyncInputs])
      expect(() => {
        collect(runAll(() => NEVER, each, { concurrency: 1 })).subscription.unsubscribe();
      }).not.toThrow();
    expect(unhandled).toEqual([]);
  });

  it.each([
    [
      'iterator',
      (error: Error) =>
        iterableOf('ab', () => {
          throw error;
        }),
    ],
    ['async iterator', (error: Error) => asyncIterableOf('ab', () => Promise.reject(error))],
  ])('report the error of an %s that fails to close as an unhandled one', async (_name, inputsWith) => {
    const unhandled: unknown[] = [];
    config.onUnhandledError = (error) => unhandled.push(error);
    const broken = new Error('cannot close');
    collect(runAll(() => NEVER, inputsWith(broken), { concurrency: 1 })).subscription.unsubscribe();
    await promises();
    expect(unhandled).toEqual([broken]);
  });

  it('drop an input that arrives after unsubscribe', async () => {
    const { runner, started } = controlledJobs();
    collect(
      runAll(
        runner,
        asyncIterableOf('ab', () => undefined),
      ),
    ).subscription.unsubscribe();
    await promises();
    expect(started).toEqual([]);
  });

  it('drop an input that arrives after a failed item stopped the pipeline', async () => {
    const { runner, started, fail, finish } = controlledJobs();
    let arrive: (result: IteratorResult<{ input: Letter }>) => void = () => undefined;
    const requests = letters('ab').values();
    const next = () => {
      const result = requests.next();
      if (!result.done) return Promise.resolve(result);
      return new Promise<IteratorResult<{ input: Letter }>>((resolve) => (arrive = resolve));
    };
    const seen = collect(runAll(runner, { [Symbol.asyncIterator]: () => ({ next }) }, { onError: 'stop' }));
    await promises();
    fail('a');
    arrive({ done: false, value: letters('c')[0]! });
    await promises();
    finish('b');
    expect([seen.text, started]).toEqual(['Ab#', ['a', 'b']]);
  });

  it('are closed once where several items fail under stop', () => {
    const { runner, fail } = controlledJobs();
    let closes = 0;
    const inputs = iterableOf('abc', () => closes++);
    const seen = collect(runAll(runner, inputs, { concurrency: 2, onError: 'stop' }));
    fail('a');
    fail('b');
    expect([seen.text, closes]).toEqual(['AB#', 1]);
  });

  it('may fail to close where nobody handles unhandled errors', () => {
    const inputs = iterableOf('ab', () => {
      throw new Error('cannot close');
    });
    const { subscription } = collect(runAll(() => NEVER, inputs, { concurrency: 1 }));
    expect(() => {
      subscription.unsubscribe();
    }).not.toThrow();
  });
});
