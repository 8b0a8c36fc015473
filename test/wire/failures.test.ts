import { firstValueFrom } from 'rxjs';
import { describe, expect, it, vi } from 'vitest';
import {
  AuthenticationError,
  BodyTooLargeError,
  ConfigurationError,
  ConnectionError,
  HttpError,
  JobNotFoundError,
  NotFoundError,
  RateLimitError,
  RequestTimeoutError,
  ResponseError,
  SubmissionUnknownError,
  ValidationError,
  type Endpoint,
  type RunpodError,
} from '../../src/index.js';
import { freePort, scriptedServer, type Step } from '../support/scriptedServer.js';
import { clientNames, errorOf, expectNoKey, wire } from '../support/wire.js';

type ErrorClass = abstract new (...args: never[]) => RunpodError;

/** A fault and its expected errors. */
interface Failure {
  readonly step: Step;
  /** The error of a submission; without `cause`, the error is a refusal: `accepted: 'no'`. */
  readonly submission: { readonly type: ErrorClass; readonly cause?: ErrorClass; readonly sent: number };
  /** The error of a read or a cancel. */
  readonly other: { readonly type: ErrorClass; readonly sent: number };
  readonly status?: number;
  /** The advice in the message of the error. */
  readonly remedy?: RegExp;
  readonly details?: Record<string, unknown>;
}

const JSON_JOB = '{"id":"job-1","status":"IN_PROGRESS"}';
const PAGE = '<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body>cloudflare</body></html>';
const html = { 'content-type': 'text/html' };
const refusal = (type: ErrorClass, sent = 1) => ({ submission: { type, sent }, other: { type, sent } });
const lost = (cause: ErrorClass, sent: number) => ({
  submission: { type: SubmissionUnknownError, cause, sent: 1 },
  other: { type: cause, sent },
});
const date = (ms: number) => new Date(ms).toUTCString();
const SENT_AT = Date.UTC(2026, 0, 1);
const YEAR = 365 * 86_400_000;

const failures: Readonly<Record<string, Failure>> = {
  'a wrong key, 401 without a body': {
    step: { status: 401, headers: { 'content-type': 'text/plain' } },
    ...refusal(AuthenticationError),
    status: 401,
    remedy: /API key.*RUNPOD_API_KEY/,
  },
  'a wrong key, 401 with a problem': {
    step: { status: 401, body: { status: 401, title: 'Unauthorized', detail: 'invalid api key' } },
    ...refusal(AuthenticationError),
    status: 401,
    remedy: /Unauthorized: invalid api key.*RUNPOD_API_KEY/,
  },
  'a key without permission, 403': {
    step: { status: 403 },
    ...refusal(AuthenticationError),
    status: 403,
    remedy: /what it may do/,
  },
  'an unknown endpoint': {
    step: { status: 404, body: { detail: 'endpoint not found' } },
    ...refusal(NotFoundError),
    status: 404,
    remedy: /endpoint not found.*endpoint id/,
  },
  'a 402': {
    step: { status: 402, body: { error: 'no credit' } },
    ...refusal(HttpError),
    status: 402,
    remedy: /credit/,
  },
  'a body that the service finds too large, 400': {
    step: { status: 400, body: { error: 'bad request: body: exceeded max body size of 10MiB' } },
    ...refusal(BodyTooLargeError),
    status: 400,
    remedy: /send a URL/,
  },
  'a body that a proxy finds too large, 413': {
    step: { status: 413 },
    ...refusal(BodyTooLargeError),
    status: 413,
    remedy: /send a URL/,
  },
  'a page of HTML, 502': {
    step: { status: 502, headers: html, body: PAGE },
    ...lost(HttpError, 4),
    status: 502,
    remedy: /502 Bad Gateway; try again later/,
  },
  'an empty 503': { step: { status: 503 }, ...lost(HttpError, 4), status: 503, remedy: /try again later/ },
  'a 524 of the edge': { step: { status: 524 }, ...lost(HttpError, 4), status: 524, remedy: /try again later/ },
  'a 500': {
    step: { status: 500, body: { error: 'worker may have crashed' } },
    ...lost(HttpError, 4),
    status: 500,
    remedy: /worker may have crashed/,
  },
  'a 408': { step: { status: 408 }, ...lost(HttpError, 4), status: 408, remedy: /try again later/ },
  'an empty 429': { step: { status: 429 }, ...refusal(RateLimitError, 4), status: 429, remedy: /send less, or later/ },
  'a 429 with Retry-After in seconds': {
    step: { status: 429, headers: { 'retry-after': '7' } },
    ...refusal(RateLimitError, 4),
    status: 429,
    remedy: /in 7 s/,
    details: { retryAfter: 7000 },
  },
  'a 429 with Retry-After as a date': {
    step: { status: 429, headers: { date: date(SENT_AT), 'retry-after': date(SENT_AT + 9000) } },
    ...refusal(RateLimitError, 4),
    status: 429,
    remedy: /in 9 s/,
    details: { retryAfter: 9000 },
  },
  'a 429 with a Retry-After beyond the cap': {
    step: { status: 429, headers: { 'retry-after': '61' } },
    ...refusal(RateLimitError),
    status: 429,
    remedy: /in 61 s/,
    details: { retryAfter: 61_000 },
  },
  'a 429 with a huge Retry-After': {
    step: { status: 429, headers: { 'retry-after': '99999999999' } },
    ...refusal(RateLimitError),
    status: 429,
    details: { retryAfter: YEAR },
  },
  'a 429 with a date in a far year': {
    step: { status: 429, headers: { date: date(SENT_AT), 'retry-after': date(SENT_AT + 3e11) } },
    ...refusal(RateLimitError),
    status: 429,
    details: { retryAfter: YEAR },
  },
  'a redirect that keeps the method, 307': {
    step: { status: 307, headers: { location: 'https://user:word@elsewhere.example/v2?token=abc#here' } },
    ...refusal(HttpError),
    status: 307,
    remedy: /redirects, here to https:\/\/elsewhere\.example\/v2, are not followed: check the option baseUrl$/,
  },
  'a redirect, 302': {
    step: { status: 302, headers: { location: 'https://elsewhere.example/login' } },
    ...lost(HttpError, 1),
    status: 302,
    remedy: /elsewhere\.example\/login.*baseUrl/,
  },
  'a 200 with a bare error': {
    step: { body: { error: 'no route to worker' } },
    ...lost(ResponseError, 1),
    remedy: /no route to worker/,
  },
  'a 200 without an id': { step: { body: {} }, ...lost(ResponseError, 1) },
  'an empty 200': { step: { body: '' }, ...lost(ResponseError, 1), remedy: /is empty/ },
  'a page of HTML, 200': {
    step: { headers: html, body: PAGE },
    ...lost(ResponseError, 1),
    remedy: /not a JSON object/,
  },
  'truncated JSON': {
    step: { body: JSON_JOB.slice(0, -8) },
    ...lost(ResponseError, 1),
    remedy: /not a JSON object/,
    details: { excerpt: JSON_JOB.slice(0, -8) },
  },
  'an answer cut off by the network': { step: 'cut', ...lost(ConnectionError, 4), remedy: /lost its connection/ },
  'a connection reset before the request was read': { step: 'reset-before', ...lost(ConnectionError, 4) },
  'a connection reset after the request was accepted': { step: 'reset', ...lost(ConnectionError, 4) },
  'a server that never answers': { step: 'hang', ...lost(RequestTimeoutError, 4), remedy: /option requestTimeout/ },
};

const submissions = {
  run: (endpoint: Endpoint) => endpoint.run({ input: { x: 1 } }),
  runsync: (endpoint: Endpoint) => endpoint.runSync({ input: { x: 1 } }),
  retry: (endpoint: Endpoint) => endpoint.retry('job-1'),
  'own-route': (endpoint: Endpoint) => endpoint.request('own-route', { body: { x: 1 } }),
} as const;

const others = {
  status: (endpoint: Endpoint) => endpoint.status('job-1'),
  cancel: (endpoint: Endpoint) => endpoint.cancel('job-1'),
  health: (endpoint: Endpoint) => endpoint.health(),
} as const;

describe.each(clientNames)('%s', (name) => {
  describe.each(Object.entries(failures))('%s', (_, { step, submission, other, status, remedy, details }) => {
    const script = Object.fromEntries([...Object.keys(submissions), ...Object.keys(others)].map((key) => [key, step]));

    it.each(Object.entries(submissions))(
      'S1 %s: errors, says whether it was accepted, and cannot start a second job',
      async (operation, submit) => {
        // The library does not interpret the answers of a custom route.
        if (operation === 'own-route' && submission.cause === (ResponseError as ErrorClass)) return;
        const { server, endpoint, activity, leaping } = await wire(name, script, { requestTimeout: 1000 });
        leaping();
        const error = await errorOf(submit(endpoint));
        expect(error).toBeInstanceOf(submission.type);
        expect(error).toMatchObject({ operation, endpointId: 'demo', accepted: submission.cause ? 'unknown' : 'no' });
        if (operation === 'retry') expect(error).toMatchObject({ jobId: 'job-1' });
        expect(server.seen(operation)).toHaveLength(submission.sent);
        expect(server.seen()).toHaveLength(submission.sent);
        if (submission.cause) {
          expect(error.retryable).toBe(false);
          expect(error.message).toMatch(/may have been accepted.*look at the endpoint's jobs/);
          expect(error.cause).toBeInstanceOf(submission.cause);
          if (status) expect(error.cause).toMatchObject({ status });
        } else {
          if (status) expect(error).toMatchObject({ status, ...details });
          if (remedy) expect(error.message).toMatch(remedy);
        }
        expectNoKey(error);
        expectNoKey(activity);
      },
    );

    it.each(Object.entries(others))(
      'S2 S22 %s: is repeated if that can help, and its error says what happened',
      async (operation, ask) => {
        const { server, endpoint, activity, leaping } = await wire(name, script, { requestTimeout: 1000 });
        leaping();
        const error = await errorOf(ask(endpoint));
        if (operation === 'health' && error instanceof ResponseError) {
          expect(error.message).toMatch(/counts of jobs/);
        } else {
          expect(error).toBeInstanceOf(other.type);
          if (remedy) expect(error.message).toMatch(remedy);
          if (details) expect(error).toMatchObject(details);
        }
        expect(error).toMatchObject({
          operation,
          endpointId: 'demo',
          ...(operation !== 'health' && { jobId: 'job-1' }),
        });
        if (status) expect(error).toMatchObject({ status });
        expect(server.seen(operation)).toHaveLength(other.sent);
        expect(server.seen()).toHaveLength(other.sent);
        expectNoKey(error);
        expectNoKey(activity);
      },
    );
  });

  it('S2 pauses exactly as long as Retry-After says', async () => {
    const { endpoint, clock, activity, leaping } = await wire(name, {
      run: [
        { status: 429, headers: { 'retry-after': '7' } },
        { status: 429, headers: { date: date(SENT_AT), 'retry-after': date(SENT_AT + 60_000) } },
        { body: { id: 'job-1', status: 'IN_QUEUE' } },
      ],
    });
    leaping();
    expect(await firstValueFrom(endpoint.run({ input: { x: 1 } }))).toMatchObject({ id: 'job-1' });
    expect(activity.filter(({ type }) => type === 'repeat')).toMatchObject([{ delay: 7000 }, { delay: 60_000 }]);
    expect(clock.now()).toBe(67_000);
  });

  it('S2 obeys Retry-After of a 503 on a read', async () => {
    const health = { jobs: {}, workers: {} };
    const { endpoint, clock, leaping } = await wire(name, {
      health: [{ status: 503, headers: { 'retry-after': '12' } }, { body: health }],
    });
    leaping();
    await firstValueFrom(endpoint.health());
    expect(clock.now()).toBe(12_000);
  });

  it('S1 repeats a submission after a 429 without Retry-After, and emits one job', async () => {
    const { server, endpoint, leaping } = await wire(name, {
      run: [{ status: 429 }, { body: { id: 'job-1', status: 'IN_QUEUE' } }],
    });
    leaping();
    expect(await firstValueFrom(endpoint.run({ input: { x: 1 } }))).toMatchObject({ id: 'job-1', status: 'IN_QUEUE' });
    expect(server.seen('run')).toHaveLength(2);
  });

  it('S1 does not repeat a submission whose answer is lost, even after an earlier 429', async () => {
    const { server, endpoint, leaping } = await wire(name, { run: [{ status: 429 }, 'reset', { body: JSON_JOB }] });
    leaping();
    const error = await errorOf(endpoint.run({ input: { x: 1 } }));
    expect(error).toBeInstanceOf(SubmissionUnknownError);
    expect(server.seen('run')).toHaveLength(2);
  });

  it.each(['502', 'reset', 'hang'] as const)('S1 never purges a queue twice: %s', async (what) => {
    const step = what === '502' ? { status: 502 } : what;
    const { server, endpoint, leaping } = await wire(name, { 'purge-queue': step }, { requestTimeout: 1000 });
    leaping();
    await errorOf(endpoint.purgeQueue());
    expect(server.seen('purge-queue')).toHaveLength(1);
  });

  it('S22 the error of a command says whether the command was accepted', async () => {
    const script = {
      'purge-queue': [{ status: 401 }, { status: 502 }, { body: 'ok' }, 'reset' as const],
      cancel: { status: 400 },
    };
    const { endpoint, leaping } = await wire(name, script);
    leaping();
    expect(await errorOf(endpoint.purgeQueue())).toMatchObject({ code: 'authentication', accepted: 'no' });
    expect(await errorOf(endpoint.purgeQueue())).toMatchObject({ code: 'http', accepted: 'unknown' });
    expect(await errorOf(endpoint.purgeQueue())).toMatchObject({ code: 'response', accepted: 'unknown' });
    expect(await errorOf(endpoint.purgeQueue())).toMatchObject({ code: 'connection', accepted: 'unknown' });
    expect(await errorOf(endpoint.cancel('job-1'))).toMatchObject({ code: 'http', accepted: 'no' });
  });

  it('S1 S22 repeats a submission after a refused connection, and its error has accepted no', async () => {
    const baseUrl = `http://127.0.0.1:${await freePort()}/v2`;
    const { endpoint, activity, leaping } = await wire(name, {}, { baseUrl });
    leaping();
    for (const submit of Object.values(submissions)) {
      const error = await errorOf(submit(endpoint));
      expect(error).toBeInstanceOf(ConnectionError);
      expect(error).toMatchObject({ code: 'connection', phase: 'connect', accepted: 'no', retryable: true });
      expect(error.message).toMatch(/could not connect: .*ECONNREFUSED/);
      expectNoKey(error);
    }
    expect(activity.filter(({ type }) => type === 'request')).toHaveLength(4 * Object.keys(submissions).length);
    const read = await errorOf(endpoint.status('job-1'));
    expect(read).toBeInstanceOf(ConnectionError);
    expect(read).toMatchObject({ phase: 'connect', jobId: 'job-1' });
    expect(read).not.toHaveProperty('accepted');
  });

  it('S1 submits as soon as the server accepts connections', async () => {
    const port = await freePort();
    const { endpoint, activity, until, clock } = await wire(name, {}, { baseUrl: `http://127.0.0.1:${port}/v2` });
    const submitted = firstValueFrom(endpoint.run({ input: { x: 1 } }));
    await until(() => activity.some(({ type }) => type === 'repeat'));
    const late = await scriptedServer({ run: { body: { id: 'job-1', status: 'IN_QUEUE' } } }, port);
    clock.leap();
    expect(await submitted).toMatchObject({ id: 'job-1' });
    expect(late.seen('run')).toHaveLength(1);
    await late.close();
  });

  it('S1 S2 retry: false sends each request once', async () => {
    const { server, endpoint, leaping } = await wire(
      name,
      { run: { status: 429 }, status: { status: 503 } },
      { retry: false },
    );
    leaping();
    await errorOf(endpoint.run({ input: { x: 1 } }));
    await errorOf(endpoint.status('job-1'));
    expect(server.seen().map(({ operation }) => operation)).toEqual(['run', 'status']);
  });

  it('S18 the status of an unknown job is a JobNotFoundError', async () => {
    const { server, endpoint } = await wire(name, { status: { status: 404, body: { error: 'job not found' } } });
    const error = await errorOf(endpoint.status('job-1'));
    expect(error).toBeInstanceOf(JobNotFoundError);
    expect(error).toMatchObject({
      code: 'job_not_found',
      jobId: 'job-1',
      message: expect.stringMatching(/check both ids/),
    });
    expect(server.seen('status')).toHaveLength(1);
  });

  it.each([400, 404, 409, 410, 422])('S19 a %d whose body is a job object is read as the job', async (status) => {
    const body = { id: 'job-1', status: 'CANCELLED' };
    const script = {
      run: { status, body },
      status: { status, body },
      cancel: { status, body },
      retry: { status, body },
    };
    const { endpoint, server } = await wire(name, script);
    const job = { id: 'job-1', status: 'CANCELLED', raw: body };
    expect(await firstValueFrom(endpoint.run({ input: { x: 1 } }))).toMatchObject(job);
    expect(await firstValueFrom(endpoint.status('job-1'))).toMatchObject(job);
    expect(await firstValueFrom(endpoint.cancel('job-1'))).toMatchObject(job);
    expect(await firstValueFrom(endpoint.retry('job-1'))).toMatchObject(job);
    expect(server.seen()).toHaveLength(4);
  });

  it('S1 S19 a 2xx without an id is a SubmissionUnknownError', async () => {
    const { endpoint, server } = await wire(name, { run: { body: { status: 'IN_QUEUE' } } });
    expect(await errorOf(endpoint.run({ input: { x: 1 } }))).toMatchObject({
      code: 'submission_unknown',
      accepted: 'unknown',
      cause: { code: 'response', message: expect.stringMatching(/has no id/) },
    });
    expect(server.seen()).toHaveLength(1);
  });

  it('S19 an error body with a status but no id is a refusal, not a job', async () => {
    const { endpoint } = await wire(name, { run: { status: 400, body: { status: 'bad request', error: 'no' } } });
    expect(await errorOf(endpoint.run({ input: { x: 1 } }))).toMatchObject({
      code: 'http',
      accepted: 'no',
      status: 400,
    });
  });

  it('S22 an error has the request id of the service', async () => {
    const { endpoint } = await wire(name, {
      status: { status: 400, headers: { 'X-Request-ID': 'req-7' } },
      health: { status: 400, headers: { 'CF-Ray': 'ray-9' } },
    });
    expect(await errorOf(endpoint.status('job-1'))).toMatchObject({ requestId: 'req-7' });
    expect(await errorOf(endpoint.health())).toMatchObject({ requestId: 'ray-9' });
  });

  it.each([
    ['title and detail', { status: 400, title: 'Bad', detail: 'words of it' }],
    ['error', { error: 'words of it' }],
    ['message', { message: 'words of it' }],
    ['JSON in a string', { error: '{"error_message":"words of it"}' }],
    ['plain text', 'words of it'],
  ])('S22 finds the message in %s', async (_, body) => {
    const { endpoint } = await wire(name, { health: { status: 400, body } });
    expect((await errorOf(endpoint.health())).message).toMatch(/400: (Bad: )?words of it/);
  });

  it('S20 sends a body of 11 MiB by /runsync, and refuses it for /run', async () => {
    const { endpoint, server } = await wire(name, { runsync: { body: { id: 'job-1', status: 'COMPLETED' } } });
    const request = { input: { text: 'é'.repeat((11 * 1024 * 1024) / 2) } };
    const error = await errorOf(endpoint.run(request));
    expect(error).toBeInstanceOf(ValidationError);
    expect(error).toMatchObject({
      code: 'validation',
      accepted: 'no',
      issues: [{ field: 'body', rule: expect.stringMatching(/at most 10485760.*URL/) }],
    });
    await firstValueFrom(endpoint.runSync(request));
    expect(server.seen().map(({ operation, body }) => [operation, Buffer.byteLength(body)])).toEqual([
      ['runsync', Buffer.byteLength(JSON.stringify(request))],
    ]);
  });

  describe('S20 nothing is sent', () => {
    const never = async (call: (endpoint: Endpoint) => Promise<Error & Record<string, unknown>>, message: RegExp) => {
      const { endpoint, server } = await wire(name, {});
      const error = await call(endpoint);
      expect(error).toBeInstanceOf(ValidationError);
      expect(error).toMatchObject({ code: 'validation', accepted: 'no', retryable: false });
      expect(error.message).toMatch(message);
      expectNoKey(error);
      expect(server.seen()).toEqual([]);
    };
    const bad = (input: unknown) => (endpoint: Endpoint) => errorOf(endpoint.run({ input } as never));
    const policy = (limits: object) => (endpoint: Endpoint) =>
      errorOf(endpoint.run({ input: { x: 1 }, policy: limits }));

    it.each([
      ['a string', bad('prompt'), /input is .*prompt.*, but must be a plain object/],
      ['a number', bad(7), /input is 7/],
      ['an array', bad([1]), /input is an array/],
      ['null', bad(null), /input is null/],
      ['nothing', bad(undefined), /input is undefined/],
      ['a Map', bad(new Map([['x', 1]])), /input is .*object.*plain object/],
      ['a Date', bad(new Date(0)), /input is .*object.*plain object/],
      ['an empty object', bad({}), /input is \{\}, but must not be empty.*allowEmptyInput/],
      ['an object that JSON makes empty', bad({ x: undefined }), /must not be empty/],
      ['a cycle', bad({ x: cycle() }), /input\.x\.self is .*JSON can carry/],
      ['a bigint', bad({ x: 1n }), /input\.x is a bigint, but must be what JSON can carry/],
    ])('for an input that is %s', (_, call, message) => never(call, message));

    it.each([
      [
        'executionTimeout too short',
        policy({ executionTimeout: 4999 }),
        /policy\.executionTimeout is 4999.*5000 to 604800000/,
      ],
      ['executionTimeout too long', policy({ executionTimeout: 604_800_001 }), /policy\.executionTimeout/],
      ['ttl too short', policy({ ttl: 9999 }), /policy\.ttl is 9999.*10000 to 604800000/],
      ['ttl too long', policy({ ttl: 604_800_001 }), /policy\.ttl/],
      ['ttl not a number', policy({ ttl: '1h' }), /policy\.ttl is .*1h/],
      ['ttl NaN', policy({ ttl: NaN }), /policy\.ttl is NaN/],
    ])('for a policy with %s', (_, call, message) => never(call, message));

    it.each(['', ' ', '../purge-queue', 'a/b', 'job?x=1', 'ä', 'a\n'])('for the job id %j', (id) =>
      never((endpoint) => errorOf(endpoint.status(id)), /job id is/),
    );

    it.each([999, 300_001, NaN])('for a wait of %d', (wait) =>
      never((endpoint) => errorOf(endpoint.runSync({ input: { x: 1 } }, { wait })), /wait is .*1000 to 300000/),
    );

    it('for an invalid endpoint id', async () => {
      const { client, server } = await wire(name, {});
      const error = await errorOf(client.endpoint('../other').run({ input: { x: 1 } }));
      expect(error).toMatchObject({
        code: 'validation',
        accepted: 'no',
        message: expect.stringMatching(/endpoint id is .*\.\.\/other/),
      });
      expect(server.seen()).toEqual([]);
    });

    it('without an endpoint id', async () => {
      vi.stubEnv('ENDPOINT_ID', '');
      const { client, server } = await wire(name, {});
      const error = await errorOf(client.endpoint().health());
      expect(error).toBeInstanceOf(ConfigurationError);
      expect(error.message).toMatch(/ENDPOINT_ID/);
      expect(await errorOf(client.endpoint().run({ input: { x: 1 } }))).toMatchObject({ accepted: 'no' });
      expect(server.seen()).toEqual([]);
      vi.unstubAllEnvs();
    });
  });

  it('S20 accepts the minimum and the maximum of each option', async () => {
    const { endpoint, server } = await wire(name, {
      run: { body: { id: 'job-1', status: 'IN_QUEUE' } },
      runsync: { body: { id: 'job-1', status: 'COMPLETED' } },
    });
    for (const limits of [
      { executionTimeout: 5000, ttl: 10_000 },
      { executionTimeout: 604_800_000, ttl: 604_800_000 },
    ])
      await firstValueFrom(endpoint.run({ input: { x: 1 }, policy: limits }));
    for (const wait of [1000, 300_000]) await firstValueFrom(endpoint.runSync({ input: { x: 1 } }, { wait }));
    await firstValueFrom(endpoint.run({ input: {} }, { allowEmptyInput: true }));
    expect(server.seen().map(({ path }) => path)).toEqual([
      '/v2/demo/run',
      '/v2/demo/run',
      '/v2/demo/runsync?wait=1000',
      '/v2/demo/runsync?wait=300000',
      '/v2/demo/run',
    ]);
    expect(server.seen('run')[0]?.body).toBe('{"input":{"x":1},"policy":{"executionTimeout":5000,"ttl":10000}}');
  });

  it('S12 the timeout of a call includes its repeats', async () => {
    const { endpoint, server, leaping, clock } = await wire(name, {
      status: { status: 429, headers: { 'retry-after': '20' } },
    });
    leaping();
    const error = await errorOf(endpoint.status('job-1', { timeout: 30_000 }));
    expect(error).toBeInstanceOf(RequestTimeoutError);
    expect(error).toMatchObject({ timeout: 30_000, jobId: 'job-1', message: expect.stringMatching(/option timeout/) });
    expect(clock.now()).toBe(30_000);
    expect(server.seen('status')).toHaveLength(2);
  });

  it.each([
    ['status', 30_000],
    ['cancel', 30_000],
    ['run', 120_000],
    ['retry', 120_000],
    ['runsync', 105_000],
  ] as const)('S12 waits for an answer to %s for %d ms by default', async (operation, ms) => {
    const { endpoint, server, clock, activity, until } = await wire(name, { [operation]: 'hang' }, { retry: false });
    const failed = errorOf({ ...submissions, ...others }[operation](endpoint));
    await server.until(() => server.waiting);
    clock.advance(ms - 1);
    expect(activity.filter(({ type }) => type === 'failure')).toEqual([]);
    clock.advance(1);
    const error = await failed;
    expect(error.code === 'request_timeout' ? error : error.cause).toMatchObject({ timeout: ms });
    await until(() => server.seen(operation)[0]?.state === 'gone');
  });

  it('S12 waits for an answer to a runsync for its wait and 15 s', async () => {
    const { endpoint, server, clock } = await wire(name, { runsync: 'hang' });
    const failed = errorOf(endpoint.runSync({ input: { x: 1 } }, { wait: 2000 }));
    await server.until(() => server.waiting);
    clock.advance(17_000);
    expect((await failed).cause).toMatchObject({ code: 'request_timeout', timeout: 17_000 });
  });
});

function cycle(): object {
  const value: { self?: object } = {};
  value.self = value;
  return value;
}
