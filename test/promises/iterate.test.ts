import { EMPTY, NEVER, Observable, Subject, concat, from, map, of, range, throwError } from 'rxjs';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { iterate, runAll, type SucceededItem } from 'runpod-rx';
import { world } from '../support/world.js';

async function collect<T>(values: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const value of values) all.push(value);
  return all;
}

/** A source that notes its subscriptions. */
function noting<T>(source: Observable<T>): { source: Observable<T>; log: string[] } {
  const log: string[] = [];
  return {
    log,
    source: new Observable<T>((subscriber) => {
      log.push('subscribe');
      subscriber.add(() => log.push('unsubscribe'));
      subscriber.add(source.subscribe(subscriber));
    }),
  };
}

/** Lets promises settle. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('iterate', () => {
  test('gives each value in order, and ends when the source completes', async () => {
    expect(await collect(iterate(of(1, 2, 3)))).toEqual([1, 2, 3]);
    expect(await collect(iterate(EMPTY))).toEqual([]);
    expect(await collect(iterate(of(undefined, null)))).toEqual([undefined, null]);
    expect(await collect(iterate(from(Promise.resolve('late'))))).toEqual(['late']);
  });

  test('knows the type of the values', () => {
    expectTypeOf(iterate(of(1))).toEqualTypeOf<AsyncIterable<number>>();
  });

  test('subscribes at the first value that is asked for, once for each loop', async () => {
    const { source, log } = noting(of(1));
    const values = iterate(source);
    const iterator = values[Symbol.asyncIterator]();
    expect(log).toEqual([]);
    await iterator.next();
    await iterator.next();
    await iterator.next();
    expect(log).toEqual(['subscribe', 'unsubscribe']);
    await collect(values);
    expect(log).toHaveLength(4);
  });

  test('keeps values that arrive while the loop is busy', async () => {
    const source = new Subject<number>();
    const iterator = iterate(source)[Symbol.asyncIterator]();
    const first = iterator.next();
    range(0, 1000).subscribe(source);
    expect(await first).toEqual({ done: false, value: 0 });
    const rest: unknown[] = [];
    for (let next = await iterator.next(); !next.done; next = await iterator.next()) rest.push(next.value);
    expect(rest).toEqual(Array.from({ length: 999 }, (_, index) => index + 1));
  });

  test('throws the error of the source once, after the values before it', async () => {
    const broken = concat(
      of('a', 'b'),
      throwError(() => new Error('broken')),
    );
    const iterator = iterate(broken)[Symbol.asyncIterator]();
    expect(await iterator.next()).toEqual({ done: false, value: 'a' });
    expect(await iterator.next()).toEqual({ done: false, value: 'b' });
    await expect(iterator.next()).rejects.toThrow('broken');
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
  });

  test('throws an error that is undefined, too', async () => {
    const iterator = iterate(throwError(() => undefined))[Symbol.asyncIterator]();
    await expect(iterator.next()).rejects.toBeUndefined();
  });

  test.each(['break', 'throw'] as const)('unsubscribes at a %s', async (way) => {
    const { source, log } = noting(concat(of(1, 2), NEVER));
    const loop = async () => {
      for await (const value of iterate(source)) {
        if (value === 1) continue;
        if (way === 'break') break;
        throw new Error('out');
      }
    };
    await loop().catch(() => undefined);
    expect(log).toEqual(['subscribe', 'unsubscribe']);
  });

  test('return() unsubscribes at once, also while a value is waited for', async () => {
    const { source, log } = noting(NEVER);
    const iterator = iterate(source)[Symbol.asyncIterator]();
    const waiting = iterator.next();
    expect(await iterator.return?.()).toEqual({ done: true, value: undefined });
    expect(await waiting).toEqual({ done: true, value: undefined });
    expect(log).toEqual(['subscribe', 'unsubscribe']);
  });

  test('return() before the first value never subscribes', async () => {
    const { source, log } = noting(of(1));
    const iterator = iterate(source)[Symbol.asyncIterator]();
    await iterator.return?.();
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
    expect(log).toEqual([]);
  });

  test('answers calls of next() that overlap in their order', async () => {
    const source = new Subject<number>();
    const iterator = iterate(source)[Symbol.asyncIterator]();
    const reads = [iterator.next(), iterator.next(), iterator.next()];
    source.next(1);
    source.next(2);
    source.complete();
    expect(await Promise.all(reads)).toEqual([
      { done: false, value: 1 },
      { done: false, value: 2 },
      { done: true, value: undefined },
    ]);
  });

  test('a full buffer ends the loop after the values that wait, and unsubscribes', async () => {
    const { source, log } = noting(range(0, 100_000));
    const iterator = iterate(source, { buffer: 2 })[Symbol.asyncIterator]();
    expect(await iterator.next()).toEqual({ done: false, value: 0 });
    expect(log).toEqual(['subscribe', 'unsubscribe']);
    expect(await iterator.next()).toEqual({ done: false, value: 1 });
    expect(await iterator.next()).toEqual({ done: false, value: 2 });
    await expect(iterator.next()).rejects.toMatchObject({ code: 'buffer_overflow' });
  });

  test('throws for what is no Observable, such as a job in the place of its chunks', () => {
    expect(() => iterate(world().endpoint.job({ input: {} }) as never)).toThrow(
      'source is an object: it must be an Observable, such as chunks$ or state$ of a job',
    );
    expect(() => iterate(undefined as never)).toThrow('source is undefined: it must be an Observable');
  });

  test('throws for options that cannot work', () => {
    expect(() => iterate(EMPTY, { buffer: 0 })).toThrow(/buffer/);
    expect(() => iterate(EMPTY, { bufer: 1 } as never)).toThrow(/buffer/);
  });
});

describe('iterate with jobs', () => {
  test('a ReadableStream that is cancelled while it waits for a chunk cancels the job', async () => {
    const made = world();
    const job = made.endpoint.job({ input: { ms: 100_000 } });
    const iterator = iterate(job.chunks$)[Symbol.asyncIterator]();
    const stream = new ReadableStream({
      pull: async (controller) => {
        const { done, value } = await iterator.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: async () => {
        await iterator.return?.();
      },
    });
    const reader = stream.getReader();
    void reader.read();
    await settle();
    made.until(5_000);
    await reader.cancel();
    made.until(60_000);
    expect(made.emulator.jobs()).toMatchObject([{ status: 'CANCELLED' }]);
  });

  test('leaving the loop over chunks cancels the job', async () => {
    const made = world({
      endpoints: {
        demo: {
          stream: true,
          handler: (_, { delay }) => concat(delay(1_000).pipe(map(() => 'a')), delay(100_000).pipe(map(() => 'b'))),
        },
      },
    });
    const loop = (async () => {
      for await (const chunk of iterate(made.endpoint.job({ input: { x: 1 } }).chunks$)) return chunk;
      return undefined;
    })();
    made.until(30_000);
    expect(await loop).toBe('a');
    made.until(60_000);
    expect(made.emulator.jobs()).toMatchObject([{ status: 'CANCELLED' }]);
  });

  test('gives the items of a pipeline', async () => {
    const made = world();
    const inputs = [1, 2, 3].map((ms) => ({ input: { ms } }));
    const items = collect(iterate(runAll(made.endpoint, inputs, { order: 'input', scheduler: made.scheduler })));
    made.until(60_000);
    const done = (await items) as SucceededItem[];
    expect(done.map(({ output }) => output)).toEqual(inputs.map(({ input }) => ({ echo: input })));
  });
});
