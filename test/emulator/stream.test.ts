import { concat, concatMap, interval, map, of, take, throwError, timer } from 'rxjs';
import { describe, expect, test } from 'vitest';
import type { EmulatedEndpoint, HandlerContext } from 'runpod-rx/testing';
import { world } from './world.js';

/** Emits 0, 1, 2, 3 at intervals of half a second. */
const counting = (_: unknown, { scheduler }: HandlerContext) => interval(500, scheduler).pipe(take(4));
const streaming: EmulatedEndpoint = { handler: counting, stream: true };

/** Reads the stream until it ends; returns the times and texts of the answers. */
function readAll({ send, scheduler }: ReturnType<typeof world>, id: string, pause = 0): string[] {
  const answers: string[] = [];
  const read = (): void => {
    const poll = (): void => {
      const seen = send('GET', `demo/stream/${id}`);
      seen.subscription.add(() => {
        answers.push(`${seen.at} ${seen.text}`);
        if (!/COMPLETED|FAILED|CANCELLED/.test(seen.text ?? 'FAILED')) read();
      });
    };
    if (pause > 0) scheduler.schedule(poll, pause);
    else poll();
  };
  read();
  return answers;
}

describe('stream', () => {
  test('hands out each chunk as it comes, the last one with the terminal status', () => {
    const w = world({ endpoints: { demo: streaming } });
    const answers = readAll(w, w.submit());
    w.until(10_000);
    expect(answers).toEqual([
      '500 {"status":"IN_PROGRESS","stream":[{"output":0}]}',
      '1000 {"status":"IN_PROGRESS","stream":[{"output":1}]}',
      '1500 {"status":"IN_PROGRESS","stream":[{"output":2}]}',
      '2000 {"status":"COMPLETED","stream":[{"output":3}]}',
    ]);
  });

  test('gives a slow reader several chunks at once', () => {
    const w = world({ endpoints: { demo: streaming } });
    const answers = readAll(w, w.submit(), 1_200);
    w.until(10_000);
    expect(answers).toEqual([
      '1200 {"status":"IN_PROGRESS","stream":[{"output":0},{"output":1}]}',
      '2400 {"status":"COMPLETED","stream":[{"output":2},{"output":3}]}',
    ]);
  });

  test('is held ten seconds while there is no chunk, or as long as its wait says', () => {
    const { send, submit, until } = world({ endpoints: { demo: { ...streaming, coldStart: 60_000 } } });
    const id = submit();
    const seen = [send('GET', `demo/stream/${id}`), send('GET', `demo/stream/${id}?wait=20000`)];
    until(9_999);
    expect(seen.map(({ text }) => text)).toEqual([undefined, undefined]);
    until(20_000);
    expect(seen.map(({ text, at }) => [text, at])).toEqual([
      ['{"status":"IN_QUEUE","stream":[]}', 10_000],
      ['{"status":"IN_QUEUE","stream":[]}', 20_000],
    ]);
  });

  test('two readers share the chunks between them', () => {
    const { send, submit, until } = world({ endpoints: { demo: streaming } });
    const id = submit();
    const [first, second] = [send('GET', `demo/stream/${id}`), send('GET', `demo/stream/${id}`)];
    until(1_000);
    expect([first.text, second.text]).toEqual([
      '{"status":"IN_PROGRESS","stream":[{"output":0}]}',
      '{"status":"IN_PROGRESS","stream":[{"output":1}]}',
    ]);
  });

  test('a reader that disconnected takes no chunk', () => {
    const { send, submit, until, ask } = world({ endpoints: { demo: streaming } });
    const id = submit();
    const seen = send('GET', `demo/stream/${id}`);
    until(499);
    seen.subscription.unsubscribe();
    until(700);
    expect(ask('GET', `demo/stream/${id}`).stream).toEqual([{ output: 0 }]);
  });

  test('is empty after the end', () => {
    const { ask, submit, until } = world({ endpoints: { demo: streaming } });
    const id = submit();
    until(5_000);
    expect(ask('GET', `demo/stream/${id}`)).toMatchObject({ status: 'COMPLETED', stream: [{}, {}, {}, {}] });
    expect(ask('GET', `demo/stream/${id}`)).toEqual({ status: 'COMPLETED', stream: [] });
  });

  test('of a job that does not stream is empty, and ends with the job', () => {
    const { send, submit, until } = world({ endpoints: { demo: { handler: (_, { delay }) => delay(3_000) } } });
    const seen = send('GET', `demo/stream/${submit()}`);
    until(3_000);
    expect(seen).toMatchObject({ text: '{"status":"COMPLETED","stream":[]}', at: 3_000 });
  });

  test('of a cancelled job ends', () => {
    const { send, submit, until } = world({ endpoints: { demo: streaming } });
    const id = submit();
    until(600);
    send('GET', `demo/stream/${id}`);
    const seen = send('GET', `demo/stream/${id}`);
    send('POST', `demo/cancel/${id}`);
    until(601);
    expect(seen.text).toBe('{"status":"CANCELLED","stream":[]}');
  });

  test('progress is not a chunk, and does not end the hold', () => {
    const { send, submit, until } = world({
      endpoints: {
        demo: {
          handler: (_, { delay, progress }) =>
            delay(100).pipe(
              concatMap(() => {
                progress(1);
                return delay(60_000);
              }),
            ),
        },
      },
    });
    const seen = send('GET', `demo/stream/${submit()}`);
    until(10_000);
    expect(seen).toMatchObject({ text: '{"status":"IN_PROGRESS","stream":[]}', at: 10_000 });
  });
});

describe('the output of a stream', () => {
  test.each([
    [{ ...streaming, aggregate: true }, {}, [0, 1, 2, 3]],
    [{ handler: counting, aggregate: true }, {}, [0, 1, 2, 3]],
    [streaming, {}, []],
    [streaming, { streamed: 'absent' }, undefined],
  ] as const)('%j %j', (endpoint, variants, output) => {
    const { ask, submit, until } = world({ endpoints: { demo: endpoint }, variants });
    const id = submit();
    until(2_000);
    const body = ask('GET', `demo/status/${id}`);
    expect(body.status).toBe('COMPLETED');
    expect(body.output).toEqual(output);
  });

  test('falsy chunks are chunks', () => {
    const { ask, submit, until } = world({
      endpoints: { demo: { handler: () => of(0, '', false, null, undefined), aggregate: true } },
    });
    const id = submit();
    until(0);
    const values = [0, '', false, null, null];
    expect(ask('GET', `demo/stream/${id}`).stream).toEqual(values.map((output) => ({ output })));
    expect(ask('GET', `demo/status/${id}`).output).toEqual(values);
  });

  test('a synchronous generator streams without a promise', () => {
    const { ask, submit, until } = world({
      endpoints: {
        demo: {
          handler: function* () {
            yield 'a';
            yield 'b';
          },
        },
      },
    });
    const id = submit();
    until(0);
    expect(ask('GET', `demo/stream/${id}`)).toEqual({
      status: 'COMPLETED',
      stream: [{ output: 'a' }, { output: 'b' }],
    });
  });
});

describe('a stream that fails', () => {
  test('hands out the chunks before the failure; only status shows the error', () => {
    const { ask, submit, until } = world({
      endpoints: {
        demo: {
          stream: true,
          handler: () =>
            concat(
              of(1, 2),
              throwError(() => new Error('out of memory')),
            ),
        },
      },
    });
    const id = submit();
    until(0);
    expect(ask('GET', `demo/stream/${id}`)).toEqual({ status: 'FAILED', stream: [{ output: 1 }, { output: 2 }] });
    const { error, output } = ask('GET', `demo/status/${id}`);
    expect(error).toMatch(/^handler: out of memory \ntraceback: Error: out of memory/);
    expect(output).toBeUndefined();
  });

  test('a yielded error ends the stream and fails the job', () => {
    let left = false;
    const { ask, submit, until } = world({
      endpoints: {
        demo: {
          handler: function* () {
            try {
              yield 1;
              yield { error: 'x' };
              yield 2;
            } finally {
              left = true;
            }
          },
          aggregate: true,
        },
      },
    });
    const id = submit();
    until(0);
    expect(ask('GET', `demo/stream/${id}`)).toEqual({ status: 'FAILED', stream: [{ output: 1 }] });
    expect(ask('GET', `demo/status/${id}`)).not.toHaveProperty('output');
    expect(ask('GET', `demo/status/${id}`).error).toBe('x');
    expect(left).toBe(true);
  });
});

describe('chunks over one megabyte', () => {
  const MIB = 1024 * 1024;
  const sizes = (stream: unknown): number[] =>
    (stream as { output: unknown }[]).map(({ output }) => new TextEncoder().encode(JSON.stringify(output)).length);

  test.each([
    ['text', 'ab😀é"\n'.repeat(400_000)],
    ['an object', { list: Array.from({ length: 200_000 }, (_, index) => index) }],
  ])('are split: %s', (_, value) => {
    const { ask, submit, until } = world({ endpoints: { demo: { handler: () => of(value), aggregate: true } } });
    const id = submit();
    until(0);
    const { stream } = ask('GET', `demo/stream/${id}`);
    expect(sizes(stream).length).toBeGreaterThan(1);
    expect(Math.max(...sizes(stream))).toBeLessThanOrEqual(MIB);
    const joined = (stream as { output: string }[]).map(({ output }) => output).join('');
    expect(joined).toBe(typeof value === 'string' ? value : JSON.stringify(value));
    expect(ask('GET', `demo/status/${id}`).output).toEqual([value]);
  });

  test('a chunk of one megabyte is not split', () => {
    const { ask, submit, until } = world({
      endpoints: { demo: { handler: () => of('x'.repeat(MIB - 2)), stream: true } },
    });
    const id = submit();
    until(0);
    expect(sizes(ask('GET', `demo/stream/${id}`).stream)).toEqual([MIB]);
  });
});

test('without `stream`, the last value of an Observable is the result', () => {
  const { ask, submit, until } = world({
    endpoints: {
      demo: {
        handler: (_, { scheduler }) =>
          timer(0, 100, scheduler).pipe(
            take(3),
            map((n) => ({ n })),
          ),
      },
    },
  });
  const id = submit();
  until(200);
  expect(ask('GET', `demo/stream/${id}`).stream).toEqual([]);
  expect(ask('GET', `demo/status/${id}`).output).toEqual({ n: 2 });
});
