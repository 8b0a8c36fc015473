import { EMPTY, NEVER, Subject, of } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  Runpod,
  abortWith,
  axiosTransport,
  cancelOnUnsubscribe,
  createRunpod,
  failover,
  hedge,
  pollHealth,
  pollStatus,
  retryJob,
  runAll,
  runEach,
  runpod,
  streamChunks,
} from 'runpod-rx';
import { undiciTransport } from 'runpod-rx/undici';
import type { Endpoint, JobSnapshot, Transport } from 'runpod-rx';
import { script } from '../support/world.js';

/** Options as a caller without types gives them. */
const any = (options: unknown) => options as never;

const transport: Transport = () => EMPTY;
const request = { input: { x: 1 } };

describe('S20 a call with mistyped options', () => {
  const calls: readonly [string, (endpoint: Endpoint, options: never) => { subscribe(observer: object): unknown }][] = [
    ['run', (endpoint, options) => endpoint.run(request, options)],
    ['runSync', (endpoint, options) => endpoint.runSync(request, options)],
    ['runToEnd', (endpoint, options) => endpoint.runToEnd(request, options)],
    ['status', (endpoint, options) => endpoint.status('a', options)],
    ['watch', (endpoint, options) => endpoint.watch('a', options)],
    ['stream', (endpoint, options) => endpoint.stream('a', options)],
    ['cancel', (endpoint, options) => endpoint.cancel('a', options)],
    ['retry', (endpoint, options) => endpoint.retry('a', options)],
    ['health', (endpoint, options) => endpoint.health(options)],
    ['watchHealth', (endpoint, options) => endpoint.watchHealth(options)],
    ['purgeQueue', (endpoint, options) => endpoint.purgeQueue(options)],
    ['request', (endpoint, options) => endpoint.request('openai/v1/models', options)],
    ['job', (endpoint, options) => endpoint.job(request, options).output$],
    ['attach', (endpoint, options) => endpoint.attach('a', options).output$],
  ];

  it.each(calls)('%s errors with what was meant, and sends nothing', (_, call) => {
    const { endpoint, sent, see, until } = script(() => 'never');
    for (const [options, message] of [
      [{ signl: NEVER }, /signl is .*did you mean signal\?/],
      [{ signal: {} }, /signal is an object, but must be an AbortSignal/],
      [{ timeout: '2s' }, /timeout is 2s, but must be a number of milliseconds/],
      [{ tiemout: -1 }, /tiemout is a number, but is unknown: did you mean timeout\?/],
      [null, /options is null, but must be an object/],
      ['fast', /options is text, but must be an object/],
    ] as const) {
      const seen = see(call(endpoint, any(options)) as never);
      until(1);
      expect(seen.error).toMatchObject({ code: 'validation', message: expect.stringMatching(message) as string });
    }
    expect(sent).toEqual([]);
  });

  it.each<[object, RegExp]>([
    [{ onUnsubscribe: 'cancle' }, /onUnsubscribe is cancle.*did you mean 'cancel'\?/],
    [{ onUnsubscribe: 'Cancel' }, /did you mean 'cancel'\?/],
    [{ grace: '2s' }, /grace/],
    [{ every: 'x' }, /every/],
    [{ timeout: -1 }, /timeout is -1/],
    [{ timeout: { exec: 3 } }, /timeout\.exec .*did you mean execution\?/],
    [{ timeout: null }, /timeout is null/],
    [{ timeoutMs: 5 }, /did you mean timeout\?/],
    [{ onGap: 'skip' }, /onGap is skip, but must be 'hold' or 'mark' or 'error'/],
    [{ stream: 'yes' }, /stream/],
    [{ replayChunks: 'none' }, /replayChunks/],
    [{ replayChunks: -1 }, /replayChunks/],
    [{ tag: 5 }, /tag/],
    [{ beforeSubmit: {} }, /beforeSubmit/],
    [{ headers: new Blob([]) }, /headers/],
    [{ longPoll: 5 }, /longPoll is 5, but must be a number of milliseconds from 1000 to 300000/],
  ])('a job with %j errors in each view, and is never submitted', (options, message) => {
    const { endpoint, sent, see, until } = script(() => 'never');
    const job = endpoint.job(request, any(options));
    const seen = [job.id$, job.state$, job.output$, job.chunks$, job.events$, job.cancel()].map((view) => see(view));
    until(1);
    for (const { error } of seen)
      expect(error).toMatchObject({
        code: 'validation',
        accepted: 'no',
        message: expect.stringMatching(message) as string,
      });
    expect(sent).toEqual([]);
  });

  it.each<[unknown, RegExp]>([
    [undefined, /input is undefined, but must be a plain object/],
    ['hi', /input is undefined/],
    [{ prompt: 'x' }, /input is undefined.*prompt is text, but is unknown/],
    [{ ...request, polcy: { ttl: 3 } }, /polcy is an object, but is unknown: did you mean policy\?/],
    [{ ...request, policy: { ttl: '10s' } }, /policy.ttl is 10s/],
    [{ ...request, policy: { executiontimeout: 5_000 } }, /did you mean executionTimeout\?/],
    [{ ...request, webhook: 'example.com/hook?token=secret' }, /webhook is text, but must be an http or https URL/],
    [{ ...request, s3Config: { accessSecret: 5 } }, /s3Config.accessSecret is a number, but must be text/],
    [{ input: { image: Buffer.from('abc') } }, /input\.image is a Buffer/],
  ])('a request %# is refused with its path, and its secrets are not quoted', (given, message) => {
    const { endpoint, sent, see, until } = script(() => 'never');
    for (const view of [endpoint.run(any(given)), endpoint.runSync(any(given)), endpoint.runToEnd(any(given))]) {
      const { error } = see(view);
      expect(error).toMatchObject({ code: 'validation', message: expect.stringMatching(message) as string });
      expect(String(error)).not.toContain('secret');
    }
    const seen = see(endpoint.job(any(given)).output$);
    until(1);
    expect(seen.error).toMatchObject({ code: 'validation' });
    expect(sent).toEqual([]);
  });

  it('a body of request() that JSON cannot carry is refused', () => {
    const { endpoint, sent, see } = script(() => 'never');
    const { error } = see(endpoint.request('openai/v1/embeddings', { body: { input: [new Map()] } }));
    expect(error).toMatchObject({ code: 'validation', issues: [{ field: 'body.input[0]', given: 'a Map' }] });
    expect(sent).toEqual([]);
  });

  it('options that are undefined are absent', () => {
    const { endpoint, sent, see } = script(() => 'never');
    see(endpoint.run(request, any({ timeout: undefined, signal: undefined, unknown: undefined })));
    expect(sent).toHaveLength(1);
  });
});

describe('S20 a function that stands by itself throws for mistyped options', () => {
  const runner = () => NEVER as never;
  const read = () => NEVER as never;
  const canceller = { cancel: () => NEVER as never };
  const retrier = { retry: () => NEVER as never, watch: () => NEVER as never };
  const endpoint = () => createRunpod({ transport, apiKey: 'key' });

  it.each<[string, () => unknown, RegExp]>([
    [
      'runpod',
      () => runpod(any({ baseURL: 'http://localhost' })),
      /baseURL is text: it is unknown: did you mean baseUrl\?/,
    ],
    ['runpod', () => runpod(any({ apikey: 'secret' })), /apikey is text: it is unknown: did you mean apiKey\?/],
    ['runpod', () => runpod(any(null)), /options is null/],
    // The key, given in the place of the options, is not quoted.
    ['runpod', () => runpod(any('rpa_KEY')), /^options is text: it must be an object$/],
    ['endpoint', () => endpoint().endpoint('demo', any('rpa_KEY')), /^options is text: it must be an object$/],
    [
      'runpod',
      () => new (Runpod as unknown as new () => unknown)(),
      /^a client is made by runpod\(\), not by new Runpod\(\)$/,
    ],
    ['runpod', () => runpod(any({ axios: {} })), /axios is an object: it must be an axios instance/],
    ['runpod', () => runpod(any({ allowBrowser: 'yes' })), /allowBrowser/],
    ['createRunpod', () => createRunpod(any({})), /transport is undefined/],
    ['createRunpod', () => createRunpod(any({ transport, apiKey: 12345 })), /apiKey is a number/],
    ['createRunpod', () => createRunpod(any({ transport, links: [transport, {}] })), /links/],
    ['createRunpod', () => createRunpod(any({ transport, random: 5 })), /random/],
    ['createRunpod', () => createRunpod(any({ transport, scheduler: setTimeout })), /scheduler/],
    ['createRunpod', () => createRunpod(any({ transport, notices: [] })), /notices/],
    ['createRunpod', () => createRunpod(any({ transport, retry: { attempts: 0 } })), /retry.attempts is 0/],
    ['createRunpod', () => createRunpod(any({ transport, retry: { atempts: 3 } })), /did you mean attempts\?/],
    ['createRunpod', () => createRunpod(any({ transport, retry: true })), /retry is true/],
    ['createRunpod', () => createRunpod(any({ transport, limits: 'documentd' })), /did you mean 'documented'\?/],
    ['createRunpod', () => createRunpod(any({ transport, limits: true })), /limits is true/],
    [
      'createRunpod',
      () => createRunpod(any({ transport, limits: { status: { requests: NaN } } })),
      /limits.status.requests is NaN/,
    ],
    [
      'createRunpod',
      () => createRunpod(any({ transport, limits: { status: { concurrent: 0 } } })),
      /limits.status.concurrent is 0/,
    ],
    ['createRunpod', () => createRunpod(any({ transport, limits: { run: { per: -1 } } })), /limits.run.per is -1/],
    [
      'createRunpod',
      () => createRunpod(any({ transport, limits: { stauts: { requests: 1 } } })),
      /did you mean status\?/,
    ],
    ['createRunpod', () => createRunpod(any({ transport, limits: { share: 0.5, run: {} } })), /limits.run .* unknown/],
    ['endpoint', () => endpoint().endpoint('e', any({ output: {} })), /output is an object: it must be a schema/],
    ['endpoint', () => endpoint().endpoint('e', any({ outptu: {} })), /did you mean output\?/],
    ['runAll', () => runAll(runner, [], any({ concurency: 1 })), /did you mean concurrency\?/],
    ['runAll', () => runAll(runner, [], any({ concurrency: '5' })), /concurrency is 5: it must be a whole number/],
    ['runAll', () => runAll(runner, [], any({ order: 'inputs' })), /did you mean 'input'\?/],
    ['runAll', () => runAll(runner, [], any({ onError: 'skip' })), /'item' or 'throw' or 'stop'/],
    [
      'runAll',
      () => runAll(runner, [], any({ retry: { coutn: 1 } })),
      /did you mean count\?.*retry.count is undefined/,
    ],
    ['runAll', () => runAll(runner, [], any({ totals: () => 1 })), /totals is a function: it must be an observer/],
    ['runAll', () => runAll(any('endpoint'), []), /runner is endpoint/],
    ['runEach', () => runEach(runner, any({ overflow: 'drop' })), /overflow is drop.*'drop-oldest'/],
    ['hedge', () => hedge(runner, any({ after: '30s' })), /after is 30s/],
    ['hedge', () => hedge(runner, any({ after: 2 ** 31 })), /after is 2147483648/],
    ['hedge', () => hedge(runner, any({})), /after is undefined/],
    ['hedge', () => hedge(runner, any(undefined)), /after is undefined/],
    ['failover', () => failover([runner], any({ queue: '30s' })), /queue is 30s/],
    ['failover', () => failover(any(runner)), /runners is a function/],
    ['failover', () => failover([runner, any({})]), /runner is an object/],
    ['retryJob', () => retryJob(retrier, any({ count: -1 })), /count is -1/],
    ['retryJob', () => retryJob(retrier, any({ times: 2 })), /times is a number: it is unknown/],
    ['cancelOnUnsubscribe', () => cancelOnUnsubscribe(canceller, any({ ID: 'a' })), /did you mean id\?/],
    ['abortWith', () => abortWith(any(new AbortController())), /signal is an object: it must be an AbortSignal/],
    ['pollStatus', () => pollStatus(read, any({ every: '5s' })), /every is 5s/],
    ['pollHealth', () => pollHealth(read, any({ evry: 5 })), /did you mean every\?/],
    ['streamChunks', () => streamChunks(read, any({ status: read, onGap: 'hodl' })), /did you mean 'hold'\?/],
    ['undiciTransport', () => undiciTransport(any({ agent: {} })), /agent is an object: it is unknown/],
    ['axiosTransport', () => axiosTransport(any({})), /instance is an object/],
  ])('%s: %#', (operation, call, message) => {
    expect(call).toThrow(
      expect.objectContaining({ code: 'configuration', operation, message: expect.stringMatching(message) as string }),
    );
    expect(call).not.toThrow(/secret/);
  });

  it('takes limits of an operation that it does not know', () => {
    expect(() =>
      createRunpod({ transport, limits: { openai: { requests: 5 }, 'status-v2': { concurrent: 1 } } }),
    ).not.toThrow();
  });
});

describe('S1 where a duration is Infinity, which a timer of JavaScript would end at once', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('hedge submits no second job', async () => {
    let jobs = 0;
    const runner = () => {
      jobs++;
      return new Subject<JobSnapshot<string>>();
    };
    const subscription = hedge(runner, { after: Infinity })(request, 0).subscribe();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(jobs).toBe(1);
    subscription.unsubscribe();
  });

  it('failover goes to no other runner', async () => {
    let others = 0;
    const other = () => {
      others++;
      return of();
    };
    const subscription = failover([() => NEVER, other], { queue: Infinity })(request, 0).subscribe();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(others).toBe(0);
    subscription.unsubscribe();
  });
});
