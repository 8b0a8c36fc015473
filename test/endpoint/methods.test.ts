import { firstValueFrom, map, interval, take, throwError } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { isRunpodError } from 'runpod-rx';
import { script, statuses, world } from '../support/world.js';

const input = { ms: 3_000, prompt: 'a lighthouse' };

describe('each call', () => {
  test('run: sends one POST and emits one snapshot with the id', () => {
    const { endpoint, emulator, see, until, wire } = world({ latency: 100 });
    const run$ = endpoint.run({ input });
    until(1_000);
    expect(wire()).toEqual([]);
    const seen = see(run$);
    until(60_000);
    expect(seen).toMatchObject({ at: [1_100], ended: 1_100, values: [{ status: 'IN_QUEUE' }] });
    expect(wire()).toEqual(['1000-1100 run 200']);
    expect(emulator.jobs()).toMatchObject([{ id: seen.values[0]!.id, input, status: 'COMPLETED' }]);
  });

  test('run: is cold, and submits once for each subscription', () => {
    const { endpoint, emulator, see, until } = world();
    const run$ = endpoint.run({ input });
    see(run$);
    see(run$);
    until(60_000);
    expect(emulator.jobs()).toHaveLength(2);
    expect(emulator.jobs()).toMatchObject([{ cancelRequests: 0 }, { cancelRequests: 0 }]);
  });

  test('run: sends the whole request, and no option of the client', () => {
    const { endpoint, sent, see } = script(() => ({ body: { id: 'a', status: 'IN_QUEUE' } }));
    const request = {
      input,
      webhook: 'https://example.org/done',
      policy: { executionTimeout: 5_000, ttl: 10_000, lowPriority: true },
      s3Config: { accessId: 'a', accessSecret: 'b', bucketName: 'c', endpointUrl: 'https://s3.example.org' },
    };
    see(endpoint.run(request));
    expect(sent).toMatchObject([
      {
        method: 'POST',
        url: 'https://api.runpod.ai/v2/demo/run',
        operation: 'run',
        headers: { authorization: 'Bearer key', 'content-type': 'application/json', accept: 'application/json' },
      },
    ]);
    expect(JSON.parse(sent[0]!.body!)).toEqual(request);
  });

  test('runSync: sends one request for a job that ends within wait', () => {
    const { endpoint, see, until, wire } = world({ latency: 100 });
    const seen = see(endpoint.runSync({ input }));
    until(60_000);
    expect(seen).toMatchObject({
      at: [3_100],
      ended: 3_100,
      values: [{ status: 'COMPLETED', output: { echo: input } }],
    });
    expect(wire()).toEqual(['0-3100 runsync 200']);
  });

  test('runSync: polls a job that takes longer than wait to its end', () => {
    const { endpoint, emulator, see, until, wire } = world();
    const seen = see(endpoint.runSync({ input: { ms: 4_000 } }, { wait: 1_000, every: 2_000 }));
    until(60_000);
    expect(seen).toMatchObject({ at: [5_000], ended: 5_000, values: [{ status: 'COMPLETED' }] });
    expect(wire()).toEqual(['0-1000 runsync 200', '3000-3000 status 200', '5000-5000 status 200']);
    expect(emulator.requests()[0]!.path).toBe('/v2/demo/runsync?wait=1000');
    expect(emulator.jobs()).toMatchObject([{ cancelRequests: 0 }]);
  });

  test('S17 runSync: emits a failed job as a snapshot, not as an error', () => {
    const { endpoint, see, until } = world({ endpoints: { demo: { handler: () => ({ error: 'out of memory' }) } } });
    const seen = see(endpoint.runSync({ input }));
    until(1_000);
    expect(seen).toMatchObject({ values: [{ status: 'FAILED', error: { message: 'out of memory' } }], ended: 0 });
    expect(seen.error).toBeUndefined();
  });

  test('status: is cold, and sends one GET for each subscription', () => {
    const { endpoint, see, until, wire } = world({ latency: 10 });
    const run = see(endpoint.run({ input }));
    until(100);
    const status$ = endpoint.status(run.values[0]!.id);
    until(200);
    const seen = see(status$);
    until(300);
    see(status$);
    until(60_000);
    expect(seen).toMatchObject({ values: [{ status: 'IN_PROGRESS', id: run.values[0]!.id }], ended: 210 });
    expect(wire()).toEqual(['0-10 run 200', '200-210 status 200', '300-310 status 200']);
  });

  test('watch: polls, emits changes, and completes when the job ends', () => {
    const { endpoint, see, until, wire } = world({
      endpoints: {
        demo: {
          handler: (_, { delay, progress }) => {
            progress(10);
            return delay(3_000).pipe(map(() => 'done'));
          },
        },
      },
    });
    const run = see(endpoint.run({ input }));
    until(0);
    const seen = see(endpoint.watch(run.values[0]!.id, { every: 1_000 }));
    until(60_000);
    expect(seen.values).toMatchObject([
      { status: 'IN_PROGRESS', progress: 10 },
      { status: 'COMPLETED', output: 'done' },
    ]);
    expect(seen.ended).toBe(3_000);
    expect(wire('status')).toEqual([0, 1_000, 2_000, 3_000].map((at) => `${at}-${at} status 200`));
  });

  test('S11 watch: polls after a tenth of the time since the submission, within 0.5 – 5 s', () => {
    const { endpoint, emulator, see, until } = world({}, { random: () => 0.5 });
    const run = see(endpoint.run({ input: { ms: 100_000 } }));
    until(20_000);
    see(endpoint.watch(run.values[0]!.id));
    until(100_000);
    const asked = emulator
      .requests()
      .filter(({ operation }) => operation === 'status')
      .map(({ at }) => Math.round(at));
    // Twenty seconds after the submission the first pause is two seconds.
    expect(asked.slice(0, 3)).toEqual([20_000, 22_000, 24_200]);
    expect(asked.slice(-2).map((at, index, all) => at - all[0]!)).toEqual([0, 5_000]);
  });

  test('S11 watch: uses the poll policy of the caller, but `every` takes precedence', () => {
    const { endpoint, see, until, wire } = world();
    const { id } = see(endpoint.run({ input: { ms: 10_000 } })).values[0]!;
    until(0);
    const ages: number[] = [];
    const poll = ({ age, snapshot }: { age: number; snapshot?: { status: string } }) => {
      ages.push(age);
      return snapshot?.status === 'IN_PROGRESS' ? 4_000 : 1;
    };
    see(endpoint.watch(id, { poll }));
    until(5_000);
    expect(ages).toEqual([0, 4_000]);
    see(endpoint.watch(id, { poll, every: 1_500 }));
    until(7_999);
    expect(wire('status').map((line) => parseInt(line))).toEqual([0, 4_000, 5_000, 6_500]);
  });

  test('stream: emits every chunk once and in order, then completes', () => {
    const { endpoint, see, until } = world({
      latency: 30,
      endpoints: { demo: { stream: true, handler: (_, { scheduler }) => interval(100, scheduler).pipe(take(5)) } },
    });
    const run = see(endpoint.run({ input }));
    until(40);
    const seen = see(endpoint.stream(run.values[0]!.id));
    until(60_000);
    expect(seen.values).toEqual([0, 1, 2, 3, 4]);
    expect(seen.error).toBeUndefined();
    expect(seen.ended).toBeLessThan(1_000);
  });

  test('cancel: sends one POST and emits the cancelled job', () => {
    const { endpoint, emulator, see, until, wire } = world({ latency: 10 });
    const run = see(endpoint.run({ input }));
    until(100);
    const cancel$ = endpoint.cancel(run.values[0]!.id);
    until(200);
    const seen = see(cancel$);
    until(60_000);
    expect(statuses(seen)).toEqual(['CANCELLED']);
    expect(seen.ended).toBe(210);
    expect(wire('cancel')).toEqual(['200-210 cancel 200']);
    expect(emulator.jobs()).toMatchObject([{ status: 'CANCELLED' }]);
  });

  test('retry: runs the job again under the same id', () => {
    const { endpoint, emulator, see, until, wire } = world({
      endpoints: { demo: { handler: (_, { attempt }) => (attempt === 1 ? { error: 'no' } : 'yes') } },
    });
    const { id } = see(endpoint.run({ input })).values[0]!;
    until(1_000);
    const seen = see(endpoint.retry(id));
    until(2_000);
    expect(seen).toMatchObject({ values: [{ id, status: 'IN_QUEUE' }], ended: 1_000 });
    expect(wire('retry')).toEqual(['1000-1000 retry 200']);
    expect(emulator.jobs()).toMatchObject([{ status: 'COMPLETED', output: 'yes', renewals: 1 }]);
  });

  test('health: sends one GET', () => {
    const { endpoint, see, until, wire } = world({ latency: 10 });
    const seen = see(endpoint.health());
    until(60_000);
    expect(seen).toMatchObject({
      values: [{ jobs: { completed: 0, inQueue: 0 }, workers: { idle: 0, running: 0 } }],
      ended: 10,
    });
    expect(wire()).toEqual(['0-10 health 200']);
  });

  test('S7 watchHealth: watchers with the same interval share reads, a late watcher gets the latest value, the last watcher stops the reads', () => {
    const { endpoint, see, until, wire } = world({ latency: 10 });
    const first = see(endpoint.watchHealth({ every: 1_000 }));
    until(500);
    const second = see(endpoint.watchHealth({ every: 1_000 }));
    expect(second.at).toEqual([500]);
    until(1_500);
    expect(first.at).toEqual([10, 1_020]);
    expect(second.at).toEqual([500, 1_020]);
    first.subscription.unsubscribe();
    until(2_500);
    expect(second.at).toEqual([500, 1_020, 2_030]);
    second.subscription.unsubscribe();
    until(10_000);
    expect(wire()).toEqual(['0-10 health 200', '1010-1020 health 200', '2020-2030 health 200']);
    // A watcher that comes after the last unsubscribe gets no old value.
    expect(see(endpoint.watchHealth({ every: 1_000 })).at).toEqual([]);
  });

  test('S7 watchHealth: the timeout of a watcher ends only that watcher', () => {
    const { endpoint, see, until } = world({ latency: 10 });
    const one = see(endpoint.watchHealth({ every: 1_000, timeout: 1_500 }));
    const two = see(endpoint.watchHealth({ every: 1_000 }));
    until(3_100);
    expect(one).toMatchObject({ ended: 1_500, error: { code: 'request_timeout' }, at: [10, 1_020] });
    expect(two.at).toEqual([10, 1_020, 2_030, 3_040]);
  });

  test('watchHealth: goes on after a short outage, and errors after a long outage', () => {
    const { endpoint, emulator, see, until } = world();
    const seen = see(endpoint.watchHealth({ every: 1_000, outage: 60_000 }));
    const repair = emulator.inject({ fault: 'empty-502' });
    until(30_000);
    repair();
    until(40_000);
    expect(seen.error).toBeUndefined();
    expect(seen.values.length).toBeGreaterThan(5);
    emulator.inject({ fault: 'empty-502' });
    until(120_000);
    expect(seen.error).toMatchObject({ code: 'http', status: 502 });
  });

  test('purgeQueue: sends one POST and removes the queued jobs', () => {
    const { endpoint, see, until, wire } = world({ endpoints: { demo: { handler: () => 1, workers: 0 } } });
    see(endpoint.run({ input }));
    see(endpoint.run({ input }));
    const seen = see(endpoint.purgeQueue());
    until(1_000);
    expect(seen.values).toMatchObject([{ removed: 2, status: 'completed' }]);
    expect(wire('purge-queue')).toEqual(['0-0 purge-queue 200']);
  });

  test('S1 purgeQueue: is not repeated after a lost answer', () => {
    const { endpoint, see, until, wire } = world({ faults: { 'reset-after': 1 } });
    const seen = see(endpoint.purgeQueue());
    until(60_000);
    expect(seen.error).toMatchObject({ code: 'connection', accepted: 'unknown' });
    expect(wire()).toEqual(['0-0 purge-queue ECONNRESET']);
  });

  test('request: sends a GET without a body, a POST with a body, or the given method', () => {
    const { endpoint, sent, see } = script(() => ({ body: 'plain' }));
    const seen = see(
      endpoint.request('openai/v1/models', { query: { a: 1, none: undefined }, headers: { 'X-A': 'b' } }),
    );
    see(endpoint.request('openai/v1/chat', { body: { a: [1] } }));
    see(endpoint.request('some/thing', { method: 'PUT', body: 'as it is' }));
    expect(seen.values).toEqual([{ status: 200, headers: {}, text: 'plain' }]);
    expect(sent).toMatchObject([
      { method: 'GET', url: 'https://api.runpod.ai/v2/demo/openai/v1/models?a=1', headers: { 'x-a': 'b' } },
      { method: 'POST', url: 'https://api.runpod.ai/v2/demo/openai/v1/chat', body: '{"a":[1]}' },
      { method: 'PUT', url: 'https://api.runpod.ai/v2/demo/some/thing', body: 'as it is' },
    ]);
  });

  test('S1 request: does not repeat a POST that may have been accepted, but repeats a GET', () => {
    const { endpoint, sent, see, until } = script((_, nth) => (nth === 4 ? { body: 'ok' } : { status: 502 }));
    const post = see(endpoint.request('generate', { body: {} }));
    until(60_000);
    expect(post.error).toMatchObject({ code: 'submission_unknown', accepted: 'unknown', cause: { status: 502 } });
    expect(sent).toHaveLength(1);
    const get = see(endpoint.request('models'));
    until(120_000);
    expect(get.values).toMatchObject([{ text: 'ok' }]);
    expect(sent).toHaveLength(4);
  });

  test.each(['run', 'runSync', 'status', 'watch', 'cancel', 'retry', 'health', 'purgeQueue'] as const)(
    '%s: works with firstValueFrom, and sends one request',
    async (name) => {
      const ended = { id: 'a', status: 'COMPLETED', output: 1, jobs: {}, workers: {}, removed: 0 };
      const { endpoint, sent, until } = script(() => ({ body: ended, after: 10 }));
      const call = {
        run: () => endpoint.run({ input }),
        runSync: () => endpoint.runSync({ input }),
        status: () => endpoint.status('a'),
        watch: () => endpoint.watch('a'),
        cancel: () => endpoint.cancel('a'),
        retry: () => endpoint.retry('a'),
        health: () => endpoint.health(),
        purgeQueue: () => endpoint.purgeQueue(),
      };
      const value = firstValueFrom<unknown>(call[name]());
      until(100_000);
      await expect(value).resolves.toBeDefined();
      expect(sent.map(({ operation }) => operation)).toEqual([
        { runSync: 'runsync', watch: 'status', purgeQueue: 'purge-queue' }[name as string] ?? name,
      ]);
      expect(sent).not.toContainEqual(expect.objectContaining({ aborted: expect.anything() }));
    },
  );

  test('run and runSync: firstValueFrom does not cancel the job', async () => {
    const { client, endpoint, emulator, until, see } = world({ latency: 10 });
    const run = firstValueFrom(endpoint.run({ input }));
    const sync = firstValueFrom(endpoint.runSync({ input: { ms: 5_000 } }, { wait: 1_000 }));
    until(100_000);
    await Promise.all([run, sync]);
    expect(emulator.jobs()).toMatchObject([{ cancelRequests: 0 }, { cancelRequests: 0 }]);
    expect(see(client.settled()).values).toEqual([{ cancelled: [], finished: [], abandoned: [], lost: [] }]);
  });
});

describe('S3 every error about a job has the job id', () => {
  test.each(['status', 'watch', 'stream', 'cancel', 'retry'] as const)('%s', (name) => {
    for (const status of [401, 404, 500]) {
      const { endpoint, see, until } = script(() => ({ status }));
      const seen = see(endpoint[name]('job-1'));
      until(1_000_000);
      expect(isRunpodError(seen.error)).toBe(true);
      expect(seen.error).toMatchObject({ jobId: 'job-1', endpointId: 'demo' });
    }
    const { endpoint, see, until } = script(() => 'never');
    const timed = see(endpoint[name]('job-1', { timeout: 50 }));
    const aborted = see(endpoint[name]('job-2', { signal: AbortSignal.abort() }));
    until(50);
    expect(timed.error).toMatchObject({ jobId: 'job-1' });
    expect(aborted.error).toMatchObject({ jobId: 'job-2', name: 'AbortError' });
  });

  test('runSync, while it polls', () => {
    const { endpoint, see, until } = script(({ operation }) =>
      operation === 'runsync' ? { body: { id: 'job-1', status: 'IN_QUEUE' } } : { status: 401 },
    );
    const seen = see(endpoint.runSync({ input }));
    until(1_000);
    expect(seen.error).toMatchObject({ code: 'authentication', jobId: 'job-1' });
  });

  test('runSync, at its timeout or its signal while it polls', () => {
    const { endpoint, at, see, until } = script(({ operation }) =>
      operation === 'runsync' ? { body: { id: 'job-1', status: 'IN_QUEUE' } } : 'never',
    );
    const controller = new AbortController();
    const timed = see(endpoint.runSync({ input }, { timeout: 50 }));
    const aborted = see(endpoint.runSync({ input }, { signal: controller.signal }));
    at(50, () => {
      controller.abort();
    });
    until(50);
    expect(timed.error).toMatchObject({ code: 'request_timeout', jobId: 'job-1' });
    expect(aborted.error).toMatchObject({ code: 'aborted', jobId: 'job-1' });
  });
});

test('S1 a submission is unknown after a transport error without a phase', () => {
  let sent = 0;
  const transport = () => (sent++, throwError(() => new Error('broken')));
  const { endpoint, see, until } = script(() => 'never', { transport });
  const seen = see(endpoint.run({ input }));
  until(60_000);
  expect(seen.error).toMatchObject({ code: 'submission_unknown', accepted: 'unknown', cause: { phase: 'sent' } });
  expect(sent).toBe(1);
});

test('run: reads the whole request when it is subscribed to', () => {
  const made = script(() => ({ body: { id: 'job-1', status: 'IN_QUEUE' } }));
  const request = { input: { n: 1 } };
  const run$ = made.endpoint.run(request);
  request.input = { n: 2 };
  made.see(run$);
  expect(JSON.parse(made.sent[0]!.body!)).toEqual({ input: { n: 2 } });
});
