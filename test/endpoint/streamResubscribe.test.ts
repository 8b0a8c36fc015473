import type { StandardSchemaV1 } from '@standard-schema/spec';
import { NEVER, of, take } from 'rxjs';
import type { SchedulerLike } from 'rxjs';
import { describe, expect, test } from 'vitest';
import type { ClientOptions } from 'runpod-rx';
import { script, type Answer, type Script } from '../support/world.js';

const input = { x: 1 };
const chunks = (status: string, ...outputs: unknown[]): Answer => ({
  body: { status, stream: outputs.map((output) => ({ output })) },
});
const job = (status: string, more: object = {}): Answer => ({ body: { id: 'job-1', status, ...more } });

/** Answers the stream reads with `answers` in turn, then with the last of them, and other requests with `other`. */
function streaming(
  answers: readonly Answer[],
  other: Answer | ((operation: string) => Answer),
  options?: Partial<ClientOptions>,
): Script {
  let turn = 0;
  return script(
    ({ operation }) =>
      operation === 'stream'
        ? answers[Math.min(turn++, answers.length - 1)]!
        : typeof other === 'function'
          ? other(operation)
          : other,
    options,
  );
}

/** A schema that answers after `ms` on the scheduler, with ten times the value. */
function slow(scheduler: () => SchedulerLike, ms: number): StandardSchemaV1<unknown, number> {
  const validate = (value: unknown) => ({
    then: (resolve: (result: StandardSchemaV1.Result<number>) => void) => {
      const result = typeof value === 'number' ? { value: value * 10 } : { issues: [{ message: 'must be a number' }] };
      scheduler().schedule(() => {
        resolve(result);
      }, ms);
      return Promise.resolve();
    },
  });
  return { '~standard': { version: 1, vendor: 'test', validate: validate as never } };
}

describe('an asynchronous chunk schema', () => {
  const checked = (answers: readonly Answer[], other: Answer) => {
    const made: Script = streaming(answers, other);
    return { ...made, endpoint: made.client.endpoint('demo', { chunk: slow(() => made.scheduler, 50) }) };
  };

  test('S15 lets the chunks of a failed job come before its error', () => {
    const { endpoint, see, until } = checked(
      [chunks('IN_PROGRESS', 1, 2, 3), chunks('FAILED')],
      job('FAILED', { error: 'boom' }),
    );
    const seen = see(endpoint.stream('job-1'));
    until(60_000);
    expect(seen.values).toEqual([10, 20, 30]);
    expect(seen.error).toMatchObject({ code: 'job_failed', jobId: 'job-1' });
  });

  test('S16 lets the chunks before a gap come before the StreamGapError', () => {
    const { endpoint, see, until } = checked(
      [chunks('IN_PROGRESS', 1, 2), { phase: 'sent' }, chunks('COMPLETED', 4), chunks('COMPLETED')],
      job('COMPLETED'),
    );
    const seen = see(endpoint.stream('job-1'));
    until(60_000);
    expect(seen.values).toEqual([10, 20]);
    expect(seen.error).toMatchObject({ code: 'stream_gap', delivered: 2, held: [4] });
  });

  test('S16 fills a gap by the chunks of the worker, not by the output of the schema', () => {
    const { endpoint, see, until } = checked(
      [chunks('IN_PROGRESS', 1), { phase: 'sent' }, chunks('COMPLETED', 3), chunks('COMPLETED')],
      job('COMPLETED', { output: [1, 2, 3] }),
    );
    const seen = see(endpoint.stream('job-1'));
    until(60_000);
    expect(seen.values).toEqual([10, 20, 30]);
    expect(seen.error).toBeUndefined();
  });

  test.each([1, 2, 3])('S14 loses no chunk for the next reader after a reader that takes %i', (count) => {
    const { endpoint, see, until } = checked(
      [chunks('IN_PROGRESS', 1, 2, 3), chunks('COMPLETED', 4), chunks('COMPLETED')],
      job('COMPLETED', { output: [1, 2, 3, 4] }),
    );
    const first = see(endpoint.stream('job-1').pipe(take(count)));
    until(1_000);
    expect(first.values).toEqual([10, 20, 30].slice(0, count));
    const second = see(endpoint.stream('job-1'));
    until(60_000);
    expect([...first.values, ...second.values]).toEqual([10, 20, 30, 40]);
    expect(second.error).toBeUndefined();
  });

  test('S14 keeps a chunk for the next reader after an unsubscribe during its check', () => {
    const { endpoint, see, until } = checked([chunks('COMPLETED', 1, 2, 3), chunks('COMPLETED')], job('COMPLETED'));
    const first = see(endpoint.stream('job-1'));
    until(75);
    first.subscription.unsubscribe();
    expect(first.values).toEqual([10]);
    const second = see(endpoint.stream('job-1'));
    until(60_000);
    expect(second.values).toEqual([20, 30]);
    expect(second.error).toBeUndefined();
  });

  test('S14 refuses a chunk once: the next reader gets the chunks after it', () => {
    const { endpoint, see, until } = checked([chunks('COMPLETED', 1, 'x', 3), chunks('COMPLETED')], job('COMPLETED'));
    const first = see(endpoint.stream('job-1'));
    until(1_000);
    expect(first.values).toEqual([10]);
    expect(first.error).toMatchObject({ code: 'job_output', chunk: 'x' });
    const second = see(endpoint.stream('job-1'));
    until(60_000);
    expect(second.values).toEqual([30]);
    expect(second.error).toBeUndefined();
  });
});

describe('S14 a stream can be read again from within', () => {
  test('its complete callback', () => {
    const { endpoint, see, until } = streaming([chunks('COMPLETED', 1), chunks('COMPLETED')], job('COMPLETED'));
    let ended = '';
    endpoint.stream('job-1').subscribe({
      complete: () =>
        endpoint.stream('job-1').subscribe({
          error: (error: Error) => (ended = error.name),
          complete: () => (ended = 'complete'),
        }),
    });
    until(60_000);
    expect(ended).toBe('complete');
    expect(see(endpoint.stream('job-1')).error).toBeUndefined();
  });

  test('its error callback', () => {
    const { endpoint, until } = streaming(
      [chunks('IN_PROGRESS', 1), { status: 401 }, chunks('COMPLETED', 2), chunks('COMPLETED')],
      job('COMPLETED'),
    );
    const values: unknown[] = [];
    let again: Error | undefined;
    endpoint.stream('job-1').subscribe({
      next: (value) => values.push(value),
      error: () =>
        endpoint.stream('job-1').subscribe({
          next: (value) => values.push(value),
          error: (error: Error) => (again = error),
        }),
    });
    until(60_000);
    expect(values).toEqual([1, 2]);
    expect(again).toBeUndefined();
  });
});

describe('S16 unsubscribing from a stream whose read', () => {
  const rest = [chunks('COMPLETED', 1), chunks('COMPLETED')];
  const readAgain = (made: Script) => {
    const first = made.see(made.endpoint.stream('job-1'));
    made.until(1_000);
    first.subscription.unsubscribe();
    const second = made.see(made.endpoint.stream('job-1'));
    made.until(60_000);
    return second;
  };

  test.each<[string, Answer]>([
    ['pauses after a 429', { status: 429, headers: { 'retry-after': '5' } }],
    ['pauses after a failed connection attempt', { phase: 'connect' }],
  ])('%s loses no chunk', (_, answer) => {
    const second = readAgain(
      streaming([answer, ...rest], job('COMPLETED', { output: [] }), { retry: { base: 10_000 } }),
    );
    expect(second.values).toEqual([1]);
    expect(second.error).toBeUndefined();
  });

  test('waits for budget loses no chunk', () => {
    const made = streaming(rest, job('COMPLETED', { output: [] }), {
      limits: { stream: { requests: 1, per: 3_000 } },
    });
    made.see(made.endpoint.request('stream/job-2'));
    const second = readAgain(made);
    expect(made.sent.map(({ at }) => at)).toEqual([0, 3_001, 6_002]);
    expect(second.values).toEqual([1]);
    expect(second.error).toBeUndefined();
  });

  test('waits for the key loses no chunk', () => {
    let asked = 0;
    const second = readAgain(
      streaming(rest, job('COMPLETED', { output: [] }), { apiKey: () => (asked++ ? of('key') : NEVER) }),
    );
    expect(second.values).toEqual([1]);
    expect(second.error).toBeUndefined();
  });

  test('is in flight may lose chunks', () => {
    const second = readAgain(streaming(['never', ...rest], job('COMPLETED', { output: [] })));
    expect(second.values).toEqual([]);
    expect(second.error).toMatchObject({ code: 'stream_gap', delivered: 0, held: [1] });
  });

  test('is in flight after a refused read may lose chunks', () => {
    const made = streaming([{ status: 429, headers: { 'retry-after': '0' } }, 'never', ...rest], job('COMPLETED'));
    expect(readAgain(made).error).toMatchObject({ code: 'stream_gap', held: [1] });
  });
});

describe('S18 the stream of a job that runs again', () => {
  const first = [chunks('IN_PROGRESS', 'a'), chunks('FAILED', 'b'), chunks('FAILED')];
  const second = [
    chunks('IN_PROGRESS', 'a'),
    { status: 503 },
    chunks('COMPLETED', 'c'),
    chunks('COMPLETED'),
  ] satisfies Answer[];
  const both = (before: readonly Answer[]) => {
    let runs = 1;
    const made = streaming([...before, ...second], (operation) => {
      if (operation === 'retry') {
        runs++;
        return job('IN_QUEUE');
      }
      return made.scheduler.now() < 10_000
        ? job('FAILED', { error: 'x' })
        : job('COMPLETED', { output: ['a', 'b', 'c'] });
    });
    return { ...made, runs: () => runs };
  };

  test.each([
    ['this client', true],
    ['another client', false],
  ])('starts from the beginning after a retry by %s, and the output of the new run fills its gap', (_, own) => {
    const { endpoint, see, until } = both(first);
    const failed = see(endpoint.stream('job-1'));
    until(9_000);
    expect(failed.values).toEqual(['a', 'b']);
    expect(failed.error).toMatchObject({ code: 'job_failed' });
    until(10_000);
    if (own) see(endpoint.retry('job-1'));
    const seen = see(endpoint.stream('job-1'));
    until(90_000);
    expect(seen.values).toEqual(['a', 'b', 'c']);
    expect(seen.error).toBeUndefined();
  });

  test('drops the chunks that a gap of the previous run held', () => {
    const { endpoint, see, until } = both([
      chunks('IN_PROGRESS', 'a'),
      { status: 503 },
      chunks('IN_PROGRESS', 'old'),
      'never',
    ]);
    const interrupted = see(endpoint.stream('job-1'));
    until(501);
    interrupted.subscription.unsubscribe();
    expect(interrupted.values).toEqual(['a']);
    until(10_000);
    see(endpoint.retry('job-1'));
    const seen = see(endpoint.stream('job-1'));
    until(90_000);
    expect(seen.values).toEqual(['a', 'b', 'c']);
    expect(seen.error).toBeUndefined();
  });

  test('continues where it stopped after a read error of the same run', () => {
    const { endpoint, see, until } = streaming(
      [chunks('IN_PROGRESS', 'a'), { status: 401 }, { phase: 'sent' }, chunks('COMPLETED', 'c'), chunks('COMPLETED')],
      job('COMPLETED', { output: ['a', 'b', 'c'] }),
    );
    const one = see(endpoint.stream('job-1'));
    expect(one.error).toMatchObject({ code: 'authentication' });
    const two = see(endpoint.stream('job-1'));
    until(60_000);
    expect([...one.values, ...two.values]).toEqual(['a', 'b', 'c']);
  });
});

test('S18 a submission that returns a known id starts its stream from the beginning', () => {
  const { endpoint, see, until } = streaming(['never', chunks('COMPLETED', 'a'), chunks('COMPLETED')], (operation) =>
    operation === 'run' ? job('IN_QUEUE') : job('COMPLETED'),
  );
  see(endpoint.stream('job-1')).subscription.unsubscribe();
  see(endpoint.run({ input }));
  const seen = see(endpoint.stream('job-1'));
  until(60_000);
  expect(seen.values).toEqual(['a']);
  expect(seen.error).toBeUndefined();
});
