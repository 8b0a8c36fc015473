import { runInNewContext } from 'node:vm';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { describe, expect, test } from 'vitest';
import type { EndpointOptions, JobSnapshot } from 'runpod-rx';
import { script, world, type Answer } from '../support/world.js';

/** A schema by hand: `check` gives the value, or throws what is wrong with it. */
function schema<I, T>(check: (value: unknown) => T, wait?: Promise<void>): StandardSchemaV1<I, T> {
  const judge = (value: unknown): StandardSchemaV1.Result<T> => {
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
      validate: (value) => (wait ? wait.then(() => judge(value)) : judge(value)),
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
  ['answers at once', false],
  ['answers by a promise', true],
])('a schema that %s', (_, promised) => {
  const make = <I, T>(check: (value: unknown) => T) => schema<I, T>(check, promised ? later() : undefined);
  const pass = async () => {
    if (promised) await settle();
  };
  const endpointOf = (answer: (nth: number) => Answer, options: EndpointOptions<Text, unknown, unknown>) => {
    const made = script((_request, nth) => answer(nth));
    return { ...made, endpoint: made.client.endpoint('demo', options) };
  };

  test.each(['run', 'runSync'] as const)('input of %s: valid, and sent as it was transformed', async (name) => {
    const { endpoint, sent, see } = endpointOf(() => ({ body: { id: 'a', status: 'COMPLETED' } }), {
      input: make(text),
    });
    const seen = see<JobSnapshot>(endpoint[name]({ input: { text: 'abc' } }));
    await pass();
    expect(seen.values).toHaveLength(1);
    expect(sent.map(({ body }) => JSON.parse(body!))).toEqual([{ input: { text: 'ABC', length: 3 } }]);
  });

  test.each(['run', 'runSync'] as const)('input of %s: invalid, and nothing is sent', async (name) => {
    const { endpoint, sent, see } = endpointOf(() => 'never', { input: make(text) });
    const seen = see<JobSnapshot>(endpoint[name]({ input: { text: 1 } as never }));
    await pass();
    expect(seen.error).toMatchObject({ code: 'validation', issues: [issue('input')], operation: name.toLowerCase() });
    expect(sent).toEqual([]);
  });

  test('input: leaving while it is checked sends nothing', async () => {
    const { endpoint, sent, see } = endpointOf(() => 'never', { input: make(text) });
    see(endpoint.run({ input: { text: 'abc' } })).subscription.unsubscribe();
    await settle();
    expect(sent).toHaveLength(promised ? 0 : 1);
  });

  test.each(['run', 'runSync', 'status', 'watch', 'cancel', 'retry'] as const)('output on %s', async (name) => {
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
    // What came is there as it came.
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
  });

  test('output: only of a job that completed', async () => {
    const bodies = ['IN_PROGRESS', 'FAILED', 'CANCELLED'].map((status) => ({ id: 'a', status, output: { half: 1 } }));
    const { endpoint, see } = endpointOf((nth) => ({ body: bodies[nth - 1] }), { output: make(text) });
    for (const { status } of bodies) {
      const seen = see(endpoint.status('a'));
      await pass();
      expect(seen.values).toMatchObject([{ status }]);
    }
  });

  test('chunks: each is checked, in order', async () => {
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

test('without a schema nothing is checked, and values come as they are', () => {
  const { endpoint, see, until } = world();
  const seen = see(endpoint.runSync({ input: { any: ['thing'] } }));
  until(1_000);
  expect(seen.values).toMatchObject([{ output: { echo: { any: ['thing'] } } }]);
});

test('a schema that throws is an error of the call', () => {
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
  expect(seen.error).toMatchObject({ message: 'broken schema' });
  expect(sent).toEqual([]);
});

test('parse reads the texts of answers, for integers that JSON.parse rounds', () => {
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
  // Reads are shared by the views of an endpoint, and so is the way they are parsed.
  expect(see(client.endpoint('demo').status('a')).values).toMatchObject([{ output: { seed: big } }]);
  expect(see(client.endpoint('other').status('a')).values).toMatchObject([{ output: { seed: Number(big) } }]);
});

test('S7 two views of a job that is being read: both get the integers that JSON.parse rounds, whoever asks first', () => {
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
])('S17 a schema whose promise is %s is waited for', async (_, promise) => {
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

test('S17 S18 while the output of a job is checked, no word of it is the end once more', async () => {
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
