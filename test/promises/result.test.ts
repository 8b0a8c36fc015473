import { inspect } from 'node:util';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { result, type Job } from 'runpod-rx';
import { asked } from '../job/support.js';
import { script, world } from '../support/world.js';

/** Follows a promise whose job runs in virtual time. */
function follow<T>(promise: Promise<T>): { value?: T; error?: unknown } {
  const seen: { value?: T; error?: unknown } = {};
  promise.then(
    (value) => (seen.value = value),
    (error: unknown) => (seen.error = error),
  );
  return seen;
}

/** Lets promises settle. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('result', () => {
  test('gives the output of a job, which is submitted once', async () => {
    const made = world();
    const job = made.endpoint.job({ input: { ms: 1_000 } });
    const seen = [follow(result(job)), follow(result(job))];
    made.until(60_000);
    await settle();
    expect(seen).toEqual([{ value: { echo: { ms: 1_000 } } }, { value: { echo: { ms: 1_000 } } }]);
    expect(asked(made).run).toBe(1);
  });

  test('rejects with the error of a job that failed', async () => {
    const made = world({ endpoints: { demo: { handler: () => ({ error: 'CUDA out of memory' }) } } });
    const seen = follow(result(made.endpoint.job({ input: { ms: 1 } })));
    made.until(60_000);
    await settle();
    expect(seen.error).toMatchObject({ code: 'job_failed', message: expect.stringContaining('CUDA') as unknown });
  });

  test('an aborted signal cancels the job, and rejects with the job that it concerns', async () => {
    const made = world();
    const controller = new AbortController();
    const seen = follow(result(made.endpoint.job({ input: { ms: 100_000 } }), { signal: controller.signal }));
    made.at(5_000, () => controller.abort('enough'));
    made.until(60_000);
    await settle();
    const [job] = made.emulator.jobs();
    expect(job).toMatchObject({ status: 'CANCELLED' });
    expect(seen.error).toMatchObject({
      name: 'AbortError',
      code: 'aborted',
      operation: 'result',
      endpointId: 'demo',
      jobId: job?.id,
      cause: 'enough',
    });
  });

  test('an aborted signal leaves a job by its option onUnsubscribe', async () => {
    const made = world();
    const controller = new AbortController();
    const job = made.endpoint.job({ input: { ms: 100_000 } }, { onUnsubscribe: 'detach' });
    const seen = follow(result(job, { signal: controller.signal }));
    made.at(5_000, () => controller.abort());
    made.until(60_000);
    await settle();
    expect(seen.error).toMatchObject({ code: 'aborted' });
    expect(made.emulator.jobs()).toMatchObject([{ status: 'IN_PROGRESS' }]);
  });

  test('a signal that is aborted already submits nothing', async () => {
    const made = world();
    const seen = follow(result(made.endpoint.job({ input: { ms: 1 } }), { signal: AbortSignal.abort() }));
    made.until(60_000);
    await settle();
    expect(seen.error).toMatchObject({ code: 'aborted' });
    expect(asked(made)).toEqual({});
  });

  test('rejects for options that cannot work, and submits nothing', async () => {
    const made = world();
    const job = made.endpoint.job({ input: { ms: 1 } });
    await expect(result(job, { signl: 1 } as never)).rejects.toMatchObject({
      code: 'configuration',
      message: expect.stringContaining('signal') as unknown,
    });
    expect(asked(made)).toEqual({});
  });
});

test.each([
  ['undefined', () => undefined, 'job is undefined: it must be a job'],
  ['an endpoint', () => world().endpoint, 'job is an object: it must be a job'],
  ['a call of an endpoint', () => world().endpoint.run({ input: {} }), 'take firstValueFrom of RxJS'],
])('result of %s, which is no job, says what it takes', async (_, given, message) => {
  await expect(result(given() as never)).rejects.toMatchObject({
    code: 'configuration',
    message: expect.stringContaining(message) as unknown,
  });
});

describe('a job is not a promise', () => {
  test('it has no `then`, for the types', () => {
    expectTypeOf<Job<{ text: string }>>().not.toHaveProperty('then');
    expectTypeOf<Awaited<Job<{ text: string }>>>().toEqualTypeOf<Job<{ text: string }>>();
  });

  test('an async function that returns one submits nothing', async () => {
    const made = world();
    const job = made.endpoint.job({ input: { ms: 1 } });
    const returned = await Promise.resolve(job);
    made.until(60_000);
    expect(returned).toBe(job);
    expect('then' in job).toBe(false);
    expect(asked(made)).toEqual({});
  });
});

describe('printing a job', () => {
  test('says which job it is, its status, and how to get its output', () => {
    const made = world({ latency: 100 });
    const job = made.endpoint.job({ input: { ms: 1_000 } });
    const advice = 'subscribe to output$, or await result(job)';
    expect(inspect(job)).toBe(`Job "demo" (not submitted yet): ${advice}`);
    made.see(job.state$);
    expect(inspect(job)).toBe(`Job "demo" (being submitted): ${advice}`);
    made.until(60_000);
    const id = made.emulator.jobs()[0]?.id;
    expect(inspect(job)).toBe(`Job "demo/${id}" (COMPLETED): ${advice}`);
    expect(inspect({ job })).toContain(`Job "demo/${id}" (COMPLETED)`);
  });

  test('submits nothing', () => {
    const made = script(() => 'never');
    inspect(made.endpoint.job({ input: { prompt: 'x' } }), { depth: 9, showHidden: true });
    inspect(made.endpoint.attach('a-job'));
    made.until(60_000);
    expect(made.sent).toEqual([]);
  });

  test('of an attached job that was not read yet says so', () => {
    expect(inspect(script(() => 'never').endpoint.attach('a-job'))).toContain('Job "demo/a-job" (not read yet)');
  });

  test('takes control characters out of an id', () => {
    const job = script(() => 'never').endpoint.attach('a\u001b[2Jjob');
    expect(inspect(job)).not.toContain('\u001b');
  });
});
