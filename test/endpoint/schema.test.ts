import { runInNewContext } from 'node:vm';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { describe, expect, test } from 'vitest';
import type { EndpointOptions, JobSnapshot } from 'runpod-rx';
import { script, world, type Answer } from '../support/world.js';

/** A schema without a library: `check` returns the output, or throws an error with the text of the issue. */
function schema<I, T>(check: (value: unknown) => T, wait?: Promise<void>): StandardSchemaV1<I, T> {
  const resultOf = (value: unknown): StandardSchemaV1.Result<T> => {
    try {
      return { value: check(value) };
    } catch (error) {
      return { issues: [{ message: (error as Error).message, path: ['text', { key: 0 }] }] };
    }
  };
  return {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: (value) => (wait ? wait.then(() => resultOf(value)) : resultOf(value)),
    },
  };
}

const text = (value: unknown) => {
  const given = (value as { text?: unknown } | undefined)?.text;
  if (typeof given !== 'string') throw new Error('must be a text');
  return { text: given.toUpperCase(), length: given.length };
};

type Text = { text: string };
const issue = (field: string) => ({ field: `${field}.text.0`, rule: 'must be a text' });
const later = () => Promise.resolve();
/** Lets promises settle. */
const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

describe.each([
  ['answers synchronously', false],
  ['answers with a promise', true],
])('a schema that %s', (_, promised) => {
  const make = <I, T>(check: (value: unknown) => T) => schema<I, T>(check, promised ? later() : undefined);
  const pass = async () => {
    if (promised) await settle();
  };
  const endpointOf = (answer: (nth: number) => Answer, options: EndpointOptions<Text, unknown, unknown>) => {
    const made = script((_request, nth) => answer(nth));
    return { ...made, endpoint: made.client.endpoint('demo', options) };
  };

  test.each(['run', 'runSync'] as const)('input of %s: sends the output of the schema', async (name) => {
    const { endpoint, sent, see } = endpointOf(() => ({ body: { id: 'a', status: 'COMPLETED' } }), {
      input: make(text),
    });
    const seen = see<JobSnapshot>(endpoint[name]({ input: { text: 'abc' } }));
    await pass();
    expect(seen.values).toHaveLength(1);
    expect(sent.map(({ body }) => JSON.parse(body!))).toEqual([{ input: { text: 'ABC', length: 3 } }]);
  });

  test.each(['run', 'runSync'] as const)(
    'input of %s: errors and sends nothing if the input is invalid',
    async (name) => {
      const { endpoint, sent, see } = endpointOf(() => 'never', { input: make(text) });
      const seen = see<JobSnapshot>(endpoint[name]({ input: { text: 1 } as never }));
      await pass();
      expect(seen.error).toMatchObject({ code: 'validation', issues: [issue('input')], operation: name.toLowerCase() });
      expect(sent).toEqual([]);
    },
  );

  test('input: sends nothing after an unsubscribe during an asynchronous check', async () => {
    const { endpoint, sent, see } = endpointOf(() => 'never', { input: make(text) });
    see(endpoint.run({ input: { text: 'abc' } })).subscription.unsubscribe();
    await settle();
    expect(sent).toHaveLength(promised ? 0 : 1);
  });

  test.each(['run', 'runSync', 'status', 'watch', 'cancel', 'retry'] as const)(
    'output of %s: is checked and transformed',
    async (name) => {
      const outputs = [{ text: 'abc' }, { text: 1 }, undefined];
      const { endpoint, see } = endpointOf(
        (nth) => ({ body: { id: 'a', status: 'COMPLETED', output: outputs[nth - 1] } }),
        {
          output: make(text),
        },
      );
      const call = () =>
        see<JobSnapshot>(
          name === 'run' || name === 'runSync' ? endpoint[name]({ input: { text: 'x' } }) : endpoint[name]('a'),
        );
      const valid = call();
      await pass();
      expect(valid.values).toMatchObject([{ status: 'COMPLETED', output: { text: 'ABC', length: 3 } }]);
      // `raw` has the answer unchanged.
      expect(valid.values[0]!.raw).toMatchObject({ output: { text: 'abc' } });
      const wrong = call();
      await pass();
      expect(wrong.error).toMatchObject({
        code: 'job_output',
        jobId: 'a',
        issues: [issue('output')],
        snapshot: { status: 'COMPLETED', output: { text: 1 } },
      });
      const missing = call();
      await pass();
      expect(missing.error).toMatchObject({ code: 'job_output', issues: [issue('output')], snapshot: { id: 'a' } });
    },
  );

  test('output: is checked only for a completed job', async () => {
    const bodies = ['IN_PROGRESS', 'FAILED', 'CANCELLED'].map((status) => ({ id: 'a', status, output: { half: 1 } }));
    const { endpoint, see } = endpointOf((nth) => ({ body: bodies[nth - 1] }), { output: make(text) });
    for (const { status } of bodies) {
      const seen = see(endpoint.status('a'));
      await pass();
      expect(seen.values).toMatchObject([{ status }]);
    }
  });

  test('chunks: are checked one by one, in order', async () => {
    const chunks = (...outputs: unknown[]) => ({
      body: { status: 'COMPLETED', stream: outputs.map((output) => ({ output })) },
    });
    const { endpoint, see } = endpointOf(
      (nth) =>
        nth === 1 ? chunks({ text: 'a' }, { text: 'b' }) : nth === 2 ? chunks({ text: 3 }, { text: 'd' }) : chunks(),
      { chunk: make(text) },
    );
    const seen = see(endpoint.stream('a'));
    await settle();
    await settle();
    expect(seen.values).toEqual([
      { text: 'A', length: 1 },
      { text: 'B', length: 1 },
    ]);
    expect(seen.error).toMatchObject({ code: 'job_output', jobId: 'a', chunk: { text: 3 }, issues: [issue('chunk')] });
  });
});

test('without a schema, values are emitted unchanged', () => {
  const { endpoint, see, until } = world();
  const seen = see(endpoint.runSync({ input: { any: ['thing'] } }));
  until(1_000);
  expect(seen.values).toMatchObject([{ output: { echo: { any: ['thing'] } } }]);
});

test('an error that a schema throws is the cause of the error of the call', () => {
  const { client, sent, see } = script(() => 'never');
  const broken: StandardSchemaV1<object, object> = {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: () => {
        throw new TypeError('broken schema');
      },
    },
  };
  const seen = see(client.endpoint('demo', { input: broken }).run({ input: { x: 1 } }));
  expect(seen.error).toMatchObject({ code: 'validation', cause: { message: 'broken schema' } });
  expect(sent).toEqual([]);
});

test('parse reads the text of every answer, so it can keep integers that JSON.parse rounds', () => {
  const big = '9007199254740993';
  const parse = (given: string): unknown => JSON.parse(given.replaceAll(/:(\d{16,})/g, ':"$1"'));
  const { client, see, until } = script(({ operation }, nth) => {
    const body = `{"id":"a","status":"COMPLETED","output":{"seed":${big}}}`;
    if (operation !== 'stream') return { body };
    return {
      body: nth === 1 ? `{"status":"COMPLETED","stream":[{"output":{"seed":${big}}}]}` : '{"status":"COMPLETED"}',
    };
  });
  const exact = client.endpoint('demo', { parse });
  expect(see(exact.stream('a')).values).toEqual([{ seed: big }]);
  until(10_000);
  for (const call$ of [
    exact.status('a'),
    exact.watch('a'),
    exact.cancel('a'),
    exact.retry('a'),
    exact.run({ input: { x: 1 } }),
  ])
    expect(see(call$).values).toMatchObject([{ output: { seed: big } }]);
  // Endpoint objects with the same id share their reads, and so also the `parse` option.
  expect(see(client.endpoint('demo').status('a')).values).toMatchObject([{ output: { seed: big } }]);
  expect(see(client.endpoint('other').status('a')).values).toMatchObject([{ output: { seed: Number(big) } }]);
});

test('S7 endpoint objects that share a read all get the values of `parse`, even if the object without it reads first', () => {
  const big = '9007199254740993';
  const text = `{"id":"a","status":"COMPLETED","output":{"seed":${big}}}`;
  const { client, sent, see, until } = script(() => ({ body: text, after: 10 }));
  const parse = (given: string): unknown => JSON.parse(given.replaceAll(/:(\d{16,})/g, ':"$1"'));
  const [exact, plain] = [client.endpoint('demo', { parse }), client.endpoint('demo')];
  const seen = [see(plain.watch('a')), see(exact.watch('a')), see(exact.status('a'))];
  until(1_000);
  expect(sent).toHaveLength(1);
  for (const { values } of seen) expect(values).toMatchObject([{ output: { seed: big } }]);
});

test.each<[string, (result: unknown) => unknown]>([
  ['of another realm', (result) => runInNewContext('Promise.resolve(result)', { result })],
  [
    'of another library',
    (result) => ({ then: (...callbacks: never[]) => Promise.resolve(result).then(...(callbacks as [])) }),
  ],
])('S17 waits for a schema whose promise is %s', async (_, promise) => {
  const foreign: StandardSchemaV1<unknown, unknown> = {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: (value) =>
        promise(value === 7 ? { issues: [{ message: 'must not be 7' }] } : { value: { paid: value } }) as never,
    },
  };
  const outputs = [1, 7];
  const { client, see } = script((__, nth) => ({ body: { id: 'a', status: 'COMPLETED', output: outputs[nth - 1] } }));
  const endpoint = client.endpoint('demo', { output: foreign });
  const [good, bad] = [see(endpoint.status('a')), see(endpoint.status('a'))];
  await settle();
  expect(good.values).toMatchObject([{ status: 'COMPLETED', output: { paid: 1 } }]);
  expect(bad.values).toEqual([]);
  expect(bad.error).toMatchObject({ code: 'job_output', issues: [{ field: 'output', rule: 'must not be 7' }] });
});

test('S17 S18 a further read while the output of a job is checked does not end the job twice', async () => {
  let answers = 0;
  const { client, see, until } = script(({ operation }) => ({
    body: { id: 'job', status: operation === 'run' ? 'IN_QUEUE' : 'COMPLETED', executionTime: answers++, output: 1 },
  }));
  const checks: unknown[] = [];
  const output = schema((value) => {
    checks.push(value);
    return value;
  }, settle());
  const endpoint = client.endpoint('demo', { output });
  const seen = see(endpoint.runToEnd({ input: { x: 1 } }));
  until(600);
  see(client.endpoint('demo').status('job'));
  until(700);
  await settle();
  await settle();
  expect(answers).toBe(3);
  expect(checks).toEqual([1]);
  expect(seen.values.map(({ status }) => status)).toEqual(['IN_QUEUE', 'COMPLETED']);
  expect(seen.ended).toBeDefined();
});
