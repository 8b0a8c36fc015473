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

/** A job whose stream is answered in turn, the last answer again and again; any other request as it says. */
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

/** A schema that takes its time on a scheduler, and gives tenfold. */
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

describe('a chunk schema that takes its time', () => {
  const checked = (answers: readonly Answer[], other: Answer) => {
    const made: Script = streaming(answers, other);
    return { ...made, endpoint: made.client.endpoint('demo', { chunk: slow(() => made.scheduler, 50) }) };
  };

  test('S15 of a job that failed: the chunks come first, then its error', () => {
    const { endpoint, see, until } = checked(
      [chunks('IN_PROGRESS', 1, 2, 3), chunks('FAILED')],
      job('FAILED', { error: 'boom' }),
    );
    const seen = see(endpoint.stream('job-1'));
    until(60_000);
    expect(seen.values).toEqual([10, 20, 30]);
    expect(seen.error).toMatchObject({ code: 'job_failed', jobId: 'job-1' });
  });

  test('S16 the chunks before a gap come before its error', () => {
    const { endpoint, see, until } = checked(
      [chunks('IN_PROGRESS', 1, 2), { phase: 'sent' }, chunks('COMPLETED', 4), chunks('COMPLETED')],
      job('COMPLETED'),
    );
    const seen = see(endpoint.stream('job-1'));
    until(60_000);
    expect(seen.values).toEqual([10, 20]);
    expect(seen.error).toMatchObject({ code: 'stream_gap', delivered: 2, held: [4] });
  });

  test('S16 a gap is filled by what the worker gave, whatever the schema makes of it', () => {
    const { endpoint, see, until } = checked(
      [chunks('IN_PROGRESS', 1), { phase: 'sent' }, chunks('COMPLETED', 3), chunks('COMPLETED')],
      job('COMPLETED', { output: [1, 2, 3] }),
    );
    const seen = see(endpoint.stream('job-1'));
    until(60_000);
    expect(seen.values).toEqual([10, 20, 30]);
    expect(seen.error).toBeUndefined();
  });

  test.each([1, 2, 3])('S14 who takes %i and leaves loses nothing for who comes next', (count) => {
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

  test('S14 who leaves while a chunk is being checked leaves it to who comes next', () => {
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

  test('S14 a chunk that it refuses is an error once: who reads on gets those after it', () => {
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

describe('S14 a stream that is read again from its own', () => {
  test('complete', () => {
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

  test('error', () => {
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

describe('S16 leaving a stream whose read', () => {
  const rest = [chunks('COMPLETED', 1), chunks('COMPLETED')];
  const leave = (made: Script) => {
    const first = made.see(made.endpoint.stream('job-1'));
    made.until(1_000);
    first.subscription.unsubscribe();
    const second = made.see(made.endpoint.stream('job-1'));
    made.until(60_000);
    return second;
  };

  test.each<[string, Answer]>([
    ['pauses after a 429', { status: 429, headers: { 'retry-after': '5' } }],
    ['pauses after a connection never made', { phase: 'connect' }],
  ])('%s takes nothing', (_, answer) => {
    const second = leave(streaming([answer, ...rest], job('COMPLETED', { output: [] }), { retry: { base: 10_000 } }));
    expect(second.values).toEqual([1]);
    expect(second.error).toBeUndefined();
  });

  test('waits for its turn takes nothing', () => {
    const made = streaming(rest, job('COMPLETED', { output: [] }), {
      limits: { stream: { requests: 1, per: 3_000 } },
    });
    made.see(made.endpoint.request('stream/job-2'));
    const second = leave(made);
    expect(made.sent.map(({ at }) => at)).toEqual([0, 3_001, 6_002]);
    expect(second.values).toEqual([1]);
    expect(second.error).toBeUndefined();
  });

  test('waits for the key takes nothing', () => {
    let asked = 0;
    const second = leave(
      streaming(rest, job('COMPLETED', { output: [] }), { apiKey: () => (asked++ ? of('key') : NEVER) }),
    );
    expect(second.values).toEqual([1]);
    expect(second.error).toBeUndefined();
  });

  test('is on its way may have taken chunks', () => {
    const second = leave(streaming(['never', ...rest], job('COMPLETED', { output: [] })));
    expect(second.values).toEqual([]);
    expect(second.error).toMatchObject({ code: 'stream_gap', delivered: 0, held: [1] });
  });

  test('is the second one on its way, after one that was refused, may have taken chunks', () => {
    const made = streaming([{ status: 429, headers: { 'retry-after': '0' } }, 'never', ...rest], job('COMPLETED'));
    expect(leave(made).error).toMatchObject({ code: 'stream_gap', held: [1] });
  });
});

describe('S18 the stream of a job that runs anew', () => {
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
    ['this client asked for', true],
    ['another asked for', false],
  ])('which %s after it failed: begins anew, so that its own output fills its own gap', (_, own) => {
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

  test('after it was left with chunks held back by a gap: those are not of this run', () => {
    const { endpoint, see, until } = both([
      chunks('IN_PROGRESS', 'a'),
      { status: 503 },
      chunks('IN_PROGRESS', 'old'),
      'never',
    ]);
    const left = see(endpoint.stream('job-1'));
    until(501);
    left.subscription.unsubscribe();
    expect(left.values).toEqual(['a']);
    until(10_000);
    see(endpoint.retry('job-1'));
    const seen = see(endpoint.stream('job-1'));
    until(90_000);
    expect(seen.values).toEqual(['a', 'b', 'c']);
    expect(seen.error).toBeUndefined();
  });

  test('after an error of reading, it goes on where it was', () => {
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

test('S18 a submission under an id that was seen begins a stream anew', () => {
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
