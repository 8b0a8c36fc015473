import { EMPTY, Observable, of, throwError } from 'rxjs';
import { describe, expect, test, vi } from 'vitest';
import { createEmulator } from 'runpod-rx/testing';
import type { EmulatedEndpoint, HandlerContext, LogEntry } from 'runpod-rx/testing';
import { world } from './world.js';

/** The `/status` of a job after its handler has run. */
function statusOf(handler: EmulatedEndpoint['handler'], more: Partial<EmulatedEndpoint> = {}) {
  const { ask, submit, until } = world({ endpoints: { demo: { handler, ...more } } });
  const id = submit();
  until(0);
  return ask('GET', `demo/status/${id}`);
}

describe('what a handler returns', () => {
  test.each([
    ['an object', { a: 1 }, { output: { a: 1 } }],
    ['a list', [1, 2], { output: [1, 2] }],
    ['text', 'x', { output: 'x' }],
    ['false', false, { output: false }],
    ['null', null, { output: null }],
    ['zero', 0, { output: 0 }],
    ['a date', new Date(0), { output: '1970-01-01T00:00:00.000Z' }],
    ['refresh_worker', { refresh_worker: true, a: 1 }, { output: { a: 1 } }],
    ['a falsy error', { error: null, a: 1 }, { output: { a: 1 } }],
    ['an Observable', of(1, 2), { output: 2 }],
  ])('%s completes the job', (_, value, body) => {
    expect(statusOf(() => value)).toMatchObject({ status: 'COMPLETED', ...body });
  });

  test.each([
    ['an empty object', {}],
    ['undefined', undefined],
    ['only refresh_worker', { refresh_worker: true }],
    ['an empty Observable', EMPTY],
    ['a result of more than 20 MiB', 'x'.repeat(20 * 1024 * 1024)],
  ])('%s completes the job without an output', (_, value) => {
    const body = statusOf(() => value);
    expect(body.status).toBe('COMPLETED');
    expect(body).not.toHaveProperty('output');
  });

  test.each([
    ['text', { error: 'bad' }, { error: 'bad' }],
    ['text and more', { error: 'bad', error_code: 'B' }, { error: 'bad', output: { error_code: 'B' } }],
    ['an object', { error: { code: 1 } }, { error: { code: 1 } }],
  ])('error as %s fails the job', (_, value, body) => {
    const { delayTime, executionTime, id, workerId, ...rest } = statusOf(() => of(value));
    expect(rest).toEqual({ status: 'FAILED', ...body });
  });
});

describe('what a handler throws', () => {
  class OddError extends Error {
    override name = 'OddError';
  }
  const form =
    /^{"error_type": "<class 'OddError'>", "error_message": "caf\\u00e9 \\"x\\"", "error_traceback": "OddError: .*", "hostname": "(\w{14})-64410d87", "worker_id": "\1", "runpod_version": "1.8.2"}$/;

  test.each([
    [
      'at once',
      () => {
        throw new OddError('café "x"');
      },
    ],
    ['in an Observable', () => throwError(() => new OddError('café "x"'))],
  ])('%s stands in error as text that holds JSON', (_, handler) => {
    const body = statusOf(handler);
    expect(body.status).toBe('FAILED');
    expect(body).not.toHaveProperty('output');
    expect(body.error).toMatch(form);
    expect(JSON.parse(String(body.error))).toMatchObject({ error_message: 'café "x"', worker_id: body.workerId });
  });

  test('may be a value that is not an Error', () => {
    const { error } = statusOf(() => throwError(() => 'plain'));
    expect(JSON.parse(String(error))).toMatchObject({ error_type: "<class 'Exception'>", error_message: 'plain' });
  });

  test('a result that JSON cannot hold counts as thrown', () => {
    const { error } = statusOf(() => ({ n: 1n }));
    expect(JSON.parse(String(error))).toMatchObject({ error_type: "<class 'TypeError'>" });
  });

  test('on an endpoint that streams has the form of a generator', () => {
    const { error } = statusOf(
      () => {
        throw new Error('early');
      },
      { stream: true },
    );
    expect(error).toMatch(/^handler: early \ntraceback: /);
  });
});

describe('what a handler gets', () => {
  test('context tells the endpoint, the worker and the attempt', () => {
    const seen: Partial<HandlerContext>[] = [];
    const { ask, until, submit } = world({
      endpoints: {
        demo: {
          handler: (_, { endpointId, attempt, workerId }) => {
            seen.push({ endpointId, attempt, workerId });
            return { error: 'again' };
          },
        },
      },
    });
    const id = submit();
    until(0);
    ask('POST', `demo/retry/${id}`);
    until(1);
    expect(seen).toEqual([
      { endpointId: 'demo', attempt: 1, workerId: expect.stringMatching(/^[a-z0-9]{14}$/) },
      { endpointId: 'demo', attempt: 2, workerId: seen[0]?.workerId },
    ]);
  });

  test('a copy of the input', () => {
    const { submit, until, emulator } = world({
      endpoints: { demo: { handler: ({ input }) => Object.assign(input, { y: 2 }) } },
    });
    submit();
    until(0);
    expect(emulator.jobs()).toMatchObject([{ input: { x: 1 }, output: { x: 1, y: 2 } }]);
    expect(emulator.jobs()[0]?.input).not.toHaveProperty('y');
  });

  test('a log', () => {
    const log: LogEntry[] = [];
    const w = world({
      endpoints: { demo: { handler: (_, { log: write }) => write('hello', 1) } },
      log: (entry) => log.push(entry),
    });
    const jobId = w.submit();
    w.until(0);
    w.submit({});
    w.until(1);
    expect(log).toMatchObject([
      { at: 0, endpointId: 'demo', jobId, parts: ['hello', 1] },
      { parts: ['Job has missing field(s): id or input.'] },
    ]);
  });
});

describe('handlers in real time', () => {
  const submitTo = async (handler: EmulatedEndpoint['handler'], more: Partial<EmulatedEndpoint> = {}) => {
    const emulator = createEmulator({ endpoints: { demo: { handler, ...more } } });
    const post = (path: string, body?: unknown) =>
      new Promise<Record<string, unknown>>((resolve, reject) => {
        emulator
          .handle({ method: 'POST', url: `/v2/demo/${path}`, headers: {}, body: JSON.stringify(body ?? {}) })
          .subscribe({ next: ({ text }) => resolve(JSON.parse(text)), error: reject });
      });
    return { emulator, post };
  };
  const body = { input: { x: 1 } };

  test('a promise', async () => {
    const { post } = await submitTo(async ({ input }, { sleep }) => {
      await sleep(5);
      return input;
    });
    expect(await post('runsync', body)).toMatchObject({ output: { x: 1 }, status: 'COMPLETED' });
  });

  test('a promise that rejects', async () => {
    const { post } = await submitTo(async () => Promise.reject(new RangeError('no')));
    expect(await post('runsync', body)).toMatchObject({ error: expect.stringContaining("<class 'RangeError'>") });
  });

  test('an async generator', async () => {
    const { post } = await submitTo(
      async function* (_, { sleep }) {
        yield 1;
        await sleep(1);
        yield 2;
      },
      { aggregate: true },
    );
    expect(await post('runsync', body)).toMatchObject({ output: [1, 2], status: 'COMPLETED' });
  });

  test('an async generator that throws', async () => {
    const { post } = await submitTo(async function* () {
      yield 1;
      throw new Error('no');
    });
    const { id, error } = await post('runsync', body);
    expect(error).toMatch(/^handler: no \n/);
    expect(await post(`stream/${String(id)}`)).toEqual({ status: 'FAILED', stream: [{ output: 1 }] });
  });

  test('a cancelled generator reaches its finally block', async () => {
    let reach: () => void = () => undefined;
    const reached = new Promise<void>((resolve) => (reach = resolve));
    const { post } = await submitTo(async function* (_, { sleep }) {
      try {
        yield 1;
        await sleep(60_000);
      } finally {
        reach();
      }
    });
    const { id } = await post('run', body);
    await post(`stream/${String(id)}`);
    await post(`cancel/${String(id)}`);
    await reached;
  });

  test('a cancelled iterator that waits for itself is returned at once', async () => {
    let returned = false;
    const { post } = await submitTo(() => ({
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise(() => undefined),
        return: async () => {
          returned = true;
          return { done: true, value: undefined };
        },
      }),
    }));
    const { id } = await post('run', body);
    const held = post(`status-sync/${String(id)}?wait=1000`);
    await post(`stream/${String(id)}?wait=1000`).then(() => post(`cancel/${String(id)}`));
    await held;
    expect(returned).toBe(true);
  });

  test('no timer runs on after a job is over or cancelled, or the emulator is closed', async () => {
    vi.useFakeTimers();
    try {
      const { emulator, post } = await submitTo(async (_, { sleep }) => sleep(1_000));
      const one = post('runsync', body);
      await vi.advanceTimersByTimeAsync(2_000);
      expect(await one).toMatchObject({ status: 'COMPLETED' });
      expect(vi.getTimerCount()).toBe(0);
      const { id } = await post('run', body);
      await vi.advanceTimersByTimeAsync(10);
      expect(vi.getTimerCount()).toBe(2);
      await post(`cancel/${String(id)}`);
      await vi.advanceTimersByTimeAsync(10);
      expect(vi.getTimerCount()).toBe(0);
      await post('run', body);
      await vi.advanceTimersByTimeAsync(10);
      emulator.close();
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  test('close stops them, and ends held requests', async () => {
    let torn = false;
    const started = new Promise<ReturnType<typeof submitTo>>((resolve) => {
      const made = submitTo(() => {
        resolve(made);
        return new Observable(() => () => (torn = true));
      });
      void made.then(({ post }) => post('run', body));
    });
    const { emulator, post } = await started;
    const held = post('runsync', body);
    emulator.close();
    await expect(held).rejects.toMatchObject({ phase: 'sent', code: 'ECONNRESET' });
    await expect(post('run', body)).rejects.toMatchObject({ phase: 'connect', code: 'ECONNREFUSED' });
    expect(torn).toBe(true);
    emulator.close();
  });
});
