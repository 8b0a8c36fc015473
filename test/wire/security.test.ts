import { inspect } from 'node:util';
import axios from 'axios';
import {
  BehaviorSubject,
  NEVER,
  Subject,
  concat,
  defer,
  firstValueFrom,
  lastValueFrom,
  of,
  throwError,
  timer,
  map,
  type Observable,
} from 'rxjs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  AuthenticationError,
  ConfigurationError,
  RunpodError,
  axiosTransport,
  createRunpod,
  isRunpodError,
  runpod,
  type RunpodOptions,
  type Transport,
  type TransportRequest,
} from '../../src/index.js';
import { undiciTransport } from '../../src/undici.js';
import { held, scriptedServer, type Answer, type Step } from '../support/scriptedServer.js';
import { KEY, clientNames, errorOf, everyForm, expectNoKey, wire } from '../support/wire.js';

const HEALTH = { body: { jobs: {}, workers: {} } };
const JOB = { body: { id: 'job-1', status: 'IN_QUEUE' } };
const request = { input: { x: 1 } };

afterEach(() => {
  vi.unstubAllEnvs();
  vi.unstubAllGlobals();
});

/** A transport that gives every request the same answer, and records the requests. */
function recorder(answer: Answer = HEALTH): Transport & { readonly sent: TransportRequest[] } {
  const sent: TransportRequest[] = [];
  const transport: Transport = (asked) => {
    sent.push(asked);
    return of({ status: 200, headers: {}, text: JSON.stringify(answer.body) });
  };
  return Object.assign(transport, { sent });
}

describe.each(clientNames)('%s', (name) => {
  it('S21 the key is in the Authorization header and nowhere else', async () => {
    const { endpoint, server } = await wire(name, { run: JOB, health: HEALTH });
    await firstValueFrom(endpoint.run(request, { headers: { 'X-Trace': 'abc' } }));
    await firstValueFrom(endpoint.health());
    for (const { headers, path, body } of server.seen()) {
      const { authorization, ...others } = headers;
      expect(authorization).toBe(`Bearer ${KEY}`);
      expectNoKey([others, path, body]);
    }
    expect(server.seen('run')[0]).toMatchObject({
      method: 'POST',
      body: '{"input":{"x":1}}',
      headers: { 'content-type': 'application/json', accept: 'application/json', 'x-trace': 'abc' },
    });
    expect(server.seen('health')[0]?.headers).not.toHaveProperty('content-type');
  });

  it.each(['authorization', 'Authorization', 'AUTHORIZATION'])('S21 the caller cannot set %s', async (header) => {
    const { endpoint, server } = await wire(name, { health: HEALTH });
    await firstValueFrom(endpoint.health({ headers: { [header]: 'Basic of-the-caller' } }));
    const { rawHeaders } = server.seen('health')[0]!;
    const values = rawHeaders.filter((_, at) => rawHeaders[at - 1]?.toLowerCase() === 'authorization');
    expect(values).toEqual([`Bearer ${KEY}`]);
  });

  it('S21 the key is not visible in a client, an endpoint, a call or an open subscription', async () => {
    const { client, endpoint, server } = await wire(name, { health: 'hang', run: 'hang', status: 'hang' });
    const calls: Observable<unknown>[] = [endpoint.health(), endpoint.run(request), endpoint.watch('job-1')];
    const subscriptions = calls.map((call) => call.subscribe({ error: () => undefined }));
    await server.until(() => server.waiting === 3);
    for (const thing of [
      client,
      endpoint,
      client.activity$,
      client.settled(),
      endpoint.health(),
      endpoint.run(request),
    ])
      expectNoKey(thing);
    for (const subscription of subscriptions) {
      expectNoKey(subscription);
      subscription.unsubscribe();
    }
    await server.until(() => server.seen('health')[0]?.state === 'gone');
  });

  describe('a server that echoes the key', () => {
    const echo = `you sent Bearer ${KEY}, which is wrong`;
    const answers: Readonly<Record<string, Answer>> = {
      'in the body of a 401': { status: 401, body: { error: echo } },
      'in plain text': { status: 400, body: echo },
      'in a title': { status: 502, body: `<html><title>${echo}</title>` },
      'in a 200 with a bare error': { body: { error: echo } },
      'in a 200 that is not JSON': { body: echo },
      'in a Location': { status: 307, headers: { location: `https://elsewhere.example/${KEY}/login?key=${KEY}` } },
      'in a request id': { status: 400, headers: { 'x-request-id': KEY } },
      'in a ray id': { status: 400, headers: { 'cf-ray': `ray-${KEY}` } },
      'in a header of its own': { status: 400, headers: { 'x-received-authorization': `Bearer ${KEY}` } },
      'in a 429': { status: 429, body: echo, headers: { 'retry-after': '1' } },
      'in a 404': { status: 404, body: { error: `job not found for ${KEY}` } },
    };

    it.each(Object.entries(answers))('S21 %s: no error and no activity shows the key', async (_, answer) => {
      const script = { run: answer, status: answer, stream: answer, cancel: answer, health: answer };
      const { endpoint, activity, leaping } = await wire(name, script);
      leaping();
      for (const call of [
        endpoint.run(request),
        endpoint.status('job-1'),
        endpoint.watch('job-1', { outage: 0 }),
        endpoint.stream('job-1', { outage: 0 }),
        endpoint.cancel('job-1'),
        endpoint.health(),
        endpoint.request('health'),
      ].slice(0, answer.status ? 7 : 6)) {
        const error = await errorOf(call);
        expect(error).toBeInstanceOf(RunpodError);
        expectNoKey(error);
      }
      expect(activity.length).toBeGreaterThan(10);
      expectNoKey(activity);
    });

    it.each([
      ['the excerpt of an answer', 200, 500],
      ['the message about an answer that is not JSON', 200, 80],
      ['the message of a refusal', 400, 300],
    ])('S21 shows no part of the key if %s is cut within it', async (_, status, length) => {
      const body = `${'.'.repeat(length - 15)}${KEY}${'.'.repeat(1000)}`;
      const { endpoint } = await wire(name, { health: { status, body }, status: { status, body } });
      for (const call of [endpoint.health(), endpoint.status('job-1')]) {
        const text = everyForm(await errorOf(call));
        expect(text).not.toContain(KEY.slice(0, 8));
      }
    });

    it('S21 shows no key if keys change while requests are in flight', async () => {
      let count = 0;
      const late = held({});
      const { endpoint, server } = await wire(
        name,
        {
          health: (seen) => ({ status: 400, body: `you sent ${String(seen.headers.authorization)}` }),
          run: [late.step.then(() => ({ status: 400, body: 'you sent Bearer test-key-placeholder-1' }))],
        },
        { apiKey: () => of(`test-key-placeholder-${++count}`) },
      );
      const first = errorOf(endpoint.run(request));
      await server.until(() => server.waiting);
      for (let at = 0; at < 4; at++) expectNoKey(await errorOf(endpoint.health()));
      late.release();
      expectNoKey(await first);
    });
  });

  describe('a base URL with a secret in its query', () => {
    const query = 'token=query-secret%2Fplaceholder&tenant=a';
    const shown = ['query-secret', 'placeholder&tenant'];
    const echo: Step = ({ method, path }) => ({
      status: 400,
      body: { message: `Route ${method}:${path} (${decodeURIComponent(path)}) not found` },
      headers: { 'x-request-id': path, location: path },
    });
    const steps: Readonly<Record<string, Step>> = {
      'a server that names the route': echo,
      'a server that breaks off': 'reset',
      'a server that begins an answer': 'cut',
      'an answer that is not JSON': ({ path }) => ({ body: `<a href="${path.replaceAll('&', '&amp;')}">` }),
    };

    it.each(Object.entries(steps))('S21 shows it nowhere: %s', async (_, step) => {
      const calls = { run: step, status: step, stream: step, cancel: step, health: step };
      const server = await scriptedServer(calls);
      const baseUrl = `${server.baseUrl}?${query}`;
      const { endpoint, client, activity, leaping } = await wire(name, {}, { baseUrl });
      leaping();
      for (const call of [
        endpoint.run(request),
        endpoint.status('job-1'),
        endpoint.stream('job-1', { outage: 0 }),
        endpoint.cancel('job-1'),
        endpoint.health(),
      ]) {
        const text = everyForm(await errorOf(call));
        for (const part of shown) expect(text).not.toContain(part);
      }
      for (const thing of [activity, client, endpoint, endpoint.health()]) {
        for (const part of shown) expect(everyForm(thing)).not.toContain(part);
      }
      expect(server.seen()[0]?.path).toContain(query);
      await server.close();
    });

    it('S21 shows it nowhere: no server', async () => {
      const { endpoint } = await wire(name, {}, { baseUrl: `http://127.0.0.1:1/v2?${query}`, retry: false });
      const text = everyForm(await errorOf(endpoint.run(request)));
      for (const part of shown) expect(text).not.toContain(part);
    });
  });

  it('S21 follows no redirect, so the other server gets no request', async () => {
    const other = await scriptedServer({ run: JOB, health: HEALTH });
    for (const status of [301, 302, 303, 307, 308]) {
      const answer = { status, headers: { location: `${other.baseUrl}/demo/health` } };
      const { endpoint, server, leaping } = await wire(name, { run: answer, health: answer });
      leaping();
      const refused = status >= 307;
      expect(await errorOf(endpoint.run(request))).toMatchObject({
        code: refused ? 'http' : 'submission_unknown',
        accepted: refused ? 'no' : 'unknown',
      });
      expect(await errorOf(endpoint.health())).toMatchObject({ code: 'http', status });
      expect(server.seen()).toHaveLength(2);
    }
    expect(other.seen()).toEqual([]);
    await other.close();
  });

  it('S21 sends no Authorization header to a server of the user without a key', async () => {
    vi.stubEnv('RUNPOD_API_KEY', '');
    const { endpoint, server } = await wire(name, { health: HEALTH, run: { status: 401 } }, { apiKey: undefined });
    await firstValueFrom(endpoint.health());
    await firstValueFrom(endpoint.health({ headers: { Authorization: 'Basic of-the-caller' } }));
    for (const { headers } of server.seen('health')) expect(headers).not.toHaveProperty('authorization');
    expect(await errorOf(endpoint.run(request))).toBeInstanceOf(AuthenticationError);
  });

  it.each(['/', '//', '/tenant/a', '/tenant/a/', ''])('S21 keeps the path %j of the base URL', async (path) => {
    const server = await scriptedServer({ health: HEALTH, status: JOB, run: JOB });
    const { endpoint } = await wire(name, {}, { baseUrl: server.origin + path });
    await firstValueFrom(endpoint.health());
    await firstValueFrom(endpoint.status('job-1'));
    const base = path.replace(/\/+$/, '');
    expect(server.seen().map((seen) => seen.path)).toEqual([`${base}/demo/health`, `${base}/demo/status/job-1`]);
    await server.close();
  });

  it.each([
    ['/v2/?tenant=a&b=%20c#part', '?tenant=a&b=%20c'],
    ['/v2?from=/x?y=1', '?from=/x?y=1'],
    ['/v2#part?x=1', ''],
    ['/v2?', ''],
  ])('S21 the base URL %s keeps its query', async (given, query) => {
    const server = await scriptedServer({ health: HEALTH, stream: { body: { status: 'COMPLETED', stream: [] } } });
    const { endpoint } = await wire(name, {}, { baseUrl: server.origin + given });
    await firstValueFrom(endpoint.health());
    await firstValueFrom(endpoint.stream('job-1', { wait: 1000 }), { defaultValue: null });
    expect(server.seen().map(({ path }) => path)).toEqual([
      `/v2/demo/health${query}`,
      `/v2/demo/stream/job-1${query}${query ? '&' : '?'}wait=1000`,
    ]);
    await server.close();
  });
});

describe('S21 the error of a transport shows no key', () => {
  it('axios: keeps the message, but not the request', async () => {
    const failing = axios.create({
      adapter: (config) =>
        Promise.reject(
          Object.assign(new axios.AxiosError(`no way to send ${String(config.headers.get('authorization'))}`), {
            config,
            request: { headers: { authorization: `Bearer ${KEY}` } },
            cause: new Error(KEY),
          }),
        ),
    });
    const client = runpod({ apiKey: KEY, axios: failing, retry: false });
    const error = await errorOf(client.endpoint('demo').run(request));
    expect(error).toMatchObject({ code: 'submission_unknown' });
    expect(inspect(error, { depth: 20 })).toContain('no way to send Bearer ***');
    expectNoKey(error);
  });

  it('axios: a broken connection', async () => {
    const server = await scriptedServer({ health: 'reset' });
    const client = runpod({ apiKey: KEY, axios: axios.create(), baseUrl: server.baseUrl, retry: false });
    const error = await errorOf(client.endpoint('demo').health());
    expect(error).toMatchObject({ code: 'connection', phase: 'sent' });
    expect(error.cause).toMatchObject({ code: 'ECONNRESET' });
    expectNoKey(error);
    await server.close();
  });

  it('a transport of the user', async () => {
    const transport: Transport = ({ headers }) =>
      throwError(() => Object.assign(new Error(`broken: ${JSON.stringify(headers)}`), { headers }));
    const error = await errorOf(createRunpod({ apiKey: KEY, transport, retry: false }).endpoint('demo').health());
    expect(error.message).toContain('broken');
    expectNoKey(error);
  });
});

it('S21 transports hold no key', () => {
  for (const transport of [axiosTransport(), axiosTransport(axios.create()), undiciTransport()]) expectNoKey(transport);
});

it('S21 an axios instance of the user cannot replace the key, follow redirects, throw on a status or change an answer', async () => {
  const server = await scriptedServer({ health: [{ status: 307, headers: { location: '/elsewhere' } }, HEALTH] });
  const own = axios.create({
    headers: { Authorization: 'Basic of-the-instance', common: { authorization: 'Basic common' } },
    maxRedirects: 5,
    validateStatus: (status) => status === 200,
    responseType: 'json',
    transformResponse: [() => 'nothing'],
    timeout: 1,
  });
  const client = runpod({ apiKey: KEY, axios: own, baseUrl: server.baseUrl });
  expect(await errorOf(client.endpoint('demo').health())).toMatchObject({ code: 'http', status: 307 });
  expect(server.seen()).toHaveLength(1);
  expect(server.seen()[0]?.headers.authorization).toBe(`Bearer ${KEY}`);
  expect(await firstValueFrom(client.endpoint('demo').health())).toMatchObject({ raw: HEALTH.body });
  await server.close();
});

it('S21 a link cannot replace the key', async () => {
  const transport = recorder();
  const client = createRunpod({
    apiKey: KEY,
    transport,
    links: [(asked, next) => next({ ...asked, headers: { ...asked.headers, Authorization: 'Basic of-the-link' } })],
  });
  await firstValueFrom(client.endpoint('demo').health());
  const given = Object.entries(transport.sent[0]!.headers).filter(([header]) => /^authorization$/i.test(header));
  expect(given).toEqual([['authorization', `Bearer ${KEY}`]]);
});

describe('the base URL', () => {
  const base = (baseUrl: string, more: object = {}) =>
    createRunpod({ transport: recorder(), apiKey: KEY, baseUrl, ...more });

  it.each([
    'http://api.example/v2',
    'http://10.0.0.1/v2',
    'http://127.0.0.1.example/v2',
    'http://localhost.example/v2',
    'http://notlocalhost/v2',
    'http://0.0.0.0/v2',
    'http://[::2]/v2',
    'HTTP://api.example',
  ])('S21 refuses plain http to %s', (url) => {
    expect(() => base(url)).toThrow(ConfigurationError);
    expect(() => base(url)).toThrow(/must be https.*allowInsecure/);
    expect(() => base(url, { allowInsecure: true })).not.toThrow();
  });

  it.each([
    ['a blank after it', 'https://api.example/v2 '],
    ['a line break after it', 'https://api.example/v2\r\n'],
    ['a blank before it', ' https://api.example/v2'],
    ['a byte order mark before it', '\uFEFFhttps://api.example/v2'],
  ])('S20 is used without %s', async (_, url) => {
    const transport = recorder();
    await firstValueFrom(createRunpod({ transport, apiKey: KEY, baseUrl: url }).endpoint('demo').health());
    vi.stubEnv('RUNPOD_BASE_URL', url);
    await firstValueFrom(createRunpod({ transport, apiKey: KEY }).endpoint('demo').health());
    expect(transport.sent.map((sent) => sent.url)).toEqual(Array(2).fill('https://api.example/v2/demo/health'));
  });

  it.each([
    'https://api.example/v 2',
    'https://api.example/v\n2',
    'https://api.example/v2?a=1 2',
    'https://api.example\\v2',
    '/\\evil.example/v2',
    '\\\\evil.example/v2',
    'https://api.example/\u0000',
  ])('S20 refuses %j, which URL parsers change', (url) => {
    expect(() => base(url)).toThrow(/the base URL must not hold blanks, line breaks or backslashes/);
  });

  it.each([
    'http://localhost:8000/v2',
    'http://LOCALHOST/v2',
    'http://demo.localhost/v2',
    'http://127.0.0.1:1/v2',
    'http://127.1.2.3/v2',
    'http://[::1]:8000/v2',
    'https://api.example',
  ])('S21 accepts %s', (url) => {
    expect(() => base(url)).not.toThrow();
  });

  it.each([
    '/api/runpod',
    './api',
    'api.runpod.ai/v2',
    'ftp://api.example',
    'file:///v2',
    'ws://localhost',
    '',
    ' ',
    '//evil.example/v2',
  ])('S21 refuses %j on Node', (url) => {
    vi.stubEnv('RUNPOD_BASE_URL', '');
    expect(() => base(url)).toThrow(ConfigurationError);
  });

  it.each([`https://${KEY}@api.example/v2`, `https://user:${KEY}@api.example/v2`, `https://:${KEY}@api.example/v2`])(
    'S21 refuses a user name or a password, and does not show it: %s',
    (url) => {
      let error: unknown;
      try {
        base(url);
      } catch (thrown) {
        error = thrown;
      }
      expect(error).toBeInstanceOf(ConfigurationError);
      expect((error as Error).message).toMatch(/must not hold a user name or password/);
      expectNoKey(error);
    },
  );

  it('S21 is the option, or else the environment variable, or else the URL of RunPod', async () => {
    const urls: string[] = [];
    const ask = async (options: object) => {
      const transport = recorder();
      await firstValueFrom(
        createRunpod({ transport, apiKey: KEY, ...options })
          .endpoint('demo')
          .health(),
      );
      urls.push(transport.sent[0]!.url);
    };
    vi.stubEnv('RUNPOD_BASE_URL', '');
    await ask({});
    vi.stubEnv('RUNPOD_BASE_URL', 'https://proxy.example/v2');
    await ask({});
    await ask({ baseUrl: 'https://other.example/x' });
    expect(urls).toEqual([
      'https://api.runpod.ai/v2/demo/health',
      'https://proxy.example/v2/demo/health',
      'https://other.example/x/demo/health',
    ]);
  });
});

/** What a function throws. */
function thrownBy(act: () => unknown): Error {
  try {
    act();
  } catch (error) {
    return error as Error;
  }
  throw new Error('nothing was thrown');
}

describe('the key', () => {
  const client = (apiKey: RunpodOptions['apiKey']) => {
    const transport = recorder();
    return { transport, endpoint: createRunpod({ apiKey, transport }).endpoint('demo') };
  };
  const sent = (transport: ReturnType<typeof recorder>) => transport.sent.map(({ headers }) => headers.authorization);

  it('S20 is required for the RunPod service', async () => {
    vi.stubEnv('RUNPOD_API_KEY', '');
    vi.stubEnv('RUNPOD_BASE_URL', '');
    const { transport, endpoint } = client(undefined);
    for (const call of [endpoint.run(request), endpoint.health()]) {
      const error = await errorOf(call);
      expect(error).toBeInstanceOf(ConfigurationError);
      expect(error.message).toMatch(/no API key.*apiKey.*RUNPOD_API_KEY/);
    }
    expect(await errorOf(endpoint.run(request))).toMatchObject({ accepted: 'no' });
    expect(transport.sent).toEqual([]);
  });

  it('S21 is read from the environment', async () => {
    vi.stubEnv('RUNPOD_API_KEY', 'test-key-of-environment');
    const { transport, endpoint } = client(undefined);
    await firstValueFrom(endpoint.health());
    expect(sent(transport)).toEqual(['Bearer test-key-of-environment']);
  });

  it.each([
    ['a string', () => KEY],
    ['a function with a promise', () => () => Promise.resolve(KEY)],
    ['a function with an Observable', () => () => timer(0).pipe(map(() => KEY))],
    ['a function with a synchronous Observable', () => () => of(KEY)],
    [
      'a function with an Observable that emits more and never ends',
      () => () => concat(of(KEY, 'test-key-two'), NEVER),
    ],
  ])('S21 may be %s', async (_, make) => {
    const { transport, endpoint } = client(make());
    // lastValueFrom shows that the call completes.
    await lastValueFrom(endpoint.health());
    expect(sent(transport)).toEqual([`Bearer ${KEY}`]);
  });

  it('S21 is requested from the function again for each attempt', async () => {
    let count = 0;
    const server = await scriptedServer({ health: [{ status: 503 }, HEALTH] });
    const endpoint = createRunpod({
      apiKey: () => Promise.resolve(`test-key-placeholder-${++count}`),
      transport: undiciTransport(),
      baseUrl: server.baseUrl,
      retry: { base: 1 },
    }).endpoint('demo');
    await firstValueFrom(endpoint.health());
    await firstValueFrom(endpoint.health());
    expect(server.seen().map(({ headers }) => headers.authorization)).toEqual([
      'Bearer test-key-placeholder-1',
      'Bearer test-key-placeholder-2',
      'Bearer test-key-placeholder-3',
    ]);
    await server.close();
  });

  it('S1 does not send a submission again when it changes while the submission is in flight', async () => {
    const late = held(JOB);
    const server = await scriptedServer({ run: late.step, health: { body: { jobs: {}, workers: {} } } });
    const keys = new BehaviorSubject('test-key-one');
    const endpoint = createRunpod({
      apiKey: () => keys,
      transport: undiciTransport(),
      baseUrl: server.baseUrl,
    }).endpoint('demo');
    const submitted = lastValueFrom(endpoint.run(request));
    await server.until(() => server.waiting);
    keys.next('test-key-two');
    late.release();
    expect(await submitted).toMatchObject({ id: 'job-1' });
    keys.next('test-key-three');
    // A submission that was sent again would come before this, or with it.
    await firstValueFrom(endpoint.health());
    expect(server.seen().map(({ operation, headers }) => [operation, headers.authorization])).toEqual([
      ['run', 'Bearer test-key-one'],
      ['health', 'Bearer test-key-three'],
    ]);
    await server.close();
  });

  it('S21 may differ between requests that overlap', async () => {
    const keys = new Subject<string>();
    const { transport, endpoint } = client(() => defer(() => keys));
    const one = firstValueFrom(endpoint.health());
    keys.next('test-key-one');
    const two = firstValueFrom(endpoint.health());
    keys.next('test-key-two');
    await Promise.all([one, two]);
    expect(sent(transport)).toEqual(['Bearer test-key-one', 'Bearer test-key-two']);
  });

  it.each([
    [
      'throws',
      () => () => {
        throw new Error('the vault is closed');
      },
    ],
    ['rejects', () => () => Promise.reject(new Error('the vault is closed'))],
    ['errors', () => () => throwError(() => new Error('the vault is closed'))],
  ])('S21 is a ConfigurationError if the function %s, and nothing is sent', async (_, make) => {
    const { transport, endpoint } = client(make());
    const error = await errorOf(endpoint.run(request));
    expect(error).toBeInstanceOf(ConfigurationError);
    expect(error).toMatchObject({
      accepted: 'no',
      message: expect.stringMatching(/apiKey/),
      cause: { message: 'the vault is closed' },
    });
    expect(transport.sent).toEqual([]);
  });

  it.each([
    ['an empty string', ''],
    ['a space', 'test key-placeholder'],
    ['a line break', `${KEY}\r\nx-evil: 1`],
    ['a letter beyond ASCII', 'test-kéy-placeholder'],
  ])('S21 is a ConfigurationError that does not show the key if the function gives %s', async (_, key) => {
    const { transport, endpoint } = client(() => of(key));
    vi.stubEnv('RUNPOD_BASE_URL', '');
    const error = await errorOf(endpoint.run(request));
    expect(error).toBeInstanceOf(ConfigurationError);
    expect(error).toMatchObject({ accepted: 'no' });
    if (key) expectNoKey(error, key);
    expect(transport.sent).toEqual([]);
  });

  it.each([
    ['a line break after it', `${KEY}\n`],
    ['a Windows line break after it', `${KEY}\r\n`],
    ['blanks around it', `  ${KEY}\t`],
    ['a byte order mark before it', `\uFEFF${KEY}`],
  ])('S20 is used without %s', async (_, key) => {
    vi.stubEnv('RUNPOD_API_KEY', key);
    for (const given of [key, () => key, () => Promise.resolve(key), undefined]) {
      const { transport, endpoint } = client(given);
      await firstValueFrom(endpoint.health());
      expect(sent(transport)).toEqual([`Bearer ${KEY}`]);
    }
  });

  it.each([
    ['has a space or a line break within it', 'test-key placeholder'],
    ['has a space or a line break within it', 'test-key\nplaceholder'],
    ['has a character that is not ASCII', 'test-kéy-placeholder'],
    ['has a character that is not ASCII or cannot be printed', 'test-key\u0000placeholder'],
    ['begins with the word "Bearer"', 'Bearer test-key-placeholder'],
    ['is blank', ' \n'],
  ])('S20 that %s is refused with these words', async (words, key) => {
    vi.stubEnv('RUNPOD_BASE_URL', '');
    for (const given of [key, () => of(key)]) {
      const { transport, endpoint } = client(given);
      const error = await errorOf(endpoint.run(request));
      expect(error).toMatchObject({ code: 'configuration', accepted: 'no' });
      expect(error.message).toContain(`the API key ${words}`);
      expectNoKey(error, 'test-key-placeholder');
      expect(transport.sent).toEqual([]);
    }
  });

  it.each([7, { key: 'test-key-placeholder' }])('S20 is refused where it is no text: %j', async (key) => {
    const given = thrownBy(() => client(key as never));
    expect(given).toMatchObject({ code: 'configuration', message: expect.stringMatching(/^apiKey is .*must be text/) });
    expectNoKey(given, 'test-key-placeholder');
    const { transport, endpoint } = client(() => of(key) as never);
    const error = await errorOf(endpoint.run(request));
    expect(error).toMatchObject({ code: 'configuration', accepted: 'no' });
    expect(error.message).toContain('the API key must be a string');
    expectNoKey(error, 'test-key-placeholder');
    expect(transport.sent).toEqual([]);
  });

  it('S21 sends nothing after an unsubscribe while the function is pending', async () => {
    const { transport, endpoint } = client(() => NEVER);
    const subscription = endpoint.run(request).subscribe();
    subscription.unsubscribe();
    expect(transport.sent).toEqual([]);
  });

  it('S21 is an error if the function gives an empty Observable', async () => {
    const { endpoint } = client(() => []);
    expect(isRunpodError(await errorOf(endpoint.health()))).toBe(true);
  });
});

describe('in a browser', () => {
  const inBrowser = () => {
    vi.stubGlobal('window', {});
    vi.stubGlobal('document', {});
    vi.stubGlobal('location', { href: 'https://app.example/' });
    vi.stubEnv('RUNPOD_API_KEY', '');
    vi.stubEnv('RUNPOD_BASE_URL', '');
  };
  /** An axios instance that records requests instead of sending them. */
  const recordingAxios = () => {
    const sent: { url?: string; authorization: unknown }[] = [];
    const instance = axios.create({
      adapter: (config) => {
        sent.push({ url: config.url, authorization: config.headers.get('authorization') });
        return Promise.resolve({ status: 200, statusText: '', headers: {}, data: JSON.stringify(HEALTH.body), config });
      },
    });
    return { instance, sent };
  };
  /** An address of this machine that does not count as a loopback address. */
  const thisMachine = (port: number) => ({ baseUrl: `http://0.0.0.0:${port}/v2`, allowInsecure: true });

  it('S21 refuses a key, and sends nothing', async () => {
    inBrowser();
    const server = await scriptedServer({ health: HEALTH, run: JOB });
    const endpoint = runpod({ apiKey: KEY, ...thisMachine(server.port) }).endpoint('demo');
    for (const call of [endpoint.run(request), endpoint.health()]) {
      const error = await errorOf(call);
      expect(error).toBeInstanceOf(ConfigurationError);
      expect(error.message).toMatch(/browser.*baseUrl.*allowBrowser/);
      expectNoKey(error);
    }
    expect(server.seen()).toEqual([]);
    await server.close();
  });

  it('S21 refuses a key from a function', async () => {
    inBrowser();
    const endpoint = runpod({ apiKey: () => of(KEY) }).endpoint('demo');
    expect(await errorOf(endpoint.run(request))).toMatchObject({ code: 'configuration', accepted: 'no' });
  });

  it('S21 accepts a key with allowBrowser', async () => {
    inBrowser();
    const server = await scriptedServer({ health: HEALTH });
    const client = runpod({ apiKey: KEY, allowBrowser: true, ...thisMachine(server.port) });
    await firstValueFrom(client.endpoint('demo').health());
    expect(server.seen()[0]?.headers.authorization).toBe(`Bearer ${KEY}`);
    await server.close();
  });

  it('S21 accepts a key for a loopback address', async () => {
    inBrowser();
    const server = await scriptedServer({ health: HEALTH });
    await firstValueFrom(runpod({ apiKey: KEY, baseUrl: server.baseUrl }).endpoint('demo').health());
    expect(server.seen()[0]?.headers.authorization).toBe(`Bearer ${KEY}`);
    await server.close();
  });

  it('S21 accepts a key with an axios instance or a transport of the user', async () => {
    inBrowser();
    const { instance, sent } = recordingAxios();
    await firstValueFrom(runpod({ apiKey: KEY, axios: instance }).endpoint('demo').health());
    expect(sent).toEqual([{ url: 'https://api.runpod.ai/v2/demo/health', authorization: `Bearer ${KEY}` }]);
    const transport = recorder();
    await firstValueFrom(createRunpod({ apiKey: KEY, transport }).endpoint('demo').health());
    expect(transport.sent[0]?.headers.authorization).toBe(`Bearer ${KEY}`);
  });

  it('S21 sends to a server of the user without a key', async () => {
    inBrowser();
    const server = await scriptedServer({ run: JOB });
    const endpoint = runpod(thisMachine(server.port)).endpoint('demo');
    expect(await firstValueFrom(endpoint.run(request))).toMatchObject({ id: 'job-1' });
    expect(server.seen()[0]?.headers).not.toHaveProperty('authorization');
    await server.close();
  });

  it.each(['/api/runpod', '/api/runpod/', './api'])('S21 accepts the relative base URL %s', async (baseUrl) => {
    inBrowser();
    const { instance, sent } = recordingAxios();
    await firstValueFrom(runpod({ axios: instance, baseUrl }).endpoint('demo').health());
    expect(sent).toEqual([{ url: `${baseUrl.replace(/\/$/, '')}/demo/health`, authorization: undefined }]);
  });

  it('S21 refuses a base URL that begins with two slashes, because it names another machine', async () => {
    inBrowser();
    const { instance, sent } = recordingAxios();
    expect(() => runpod({ apiKey: KEY, axios: instance, baseUrl: '//evil.example/v2' })).toThrow(ConfigurationError);
    expect(sent).toEqual([]);
  });

  it('S20 errors without a key and without a base URL', async () => {
    inBrowser();
    const { instance, sent } = recordingAxios();
    const error = await errorOf(runpod({ axios: instance }).endpoint('demo').health());
    expect(error).toBeInstanceOf(ConfigurationError);
    expect(sent).toEqual([]);
  });

  it('S1 a submission is unknown after a network error of fetch, which does not say whether the request was sent', async () => {
    inBrowser();
    let asked = 0;
    vi.stubGlobal('fetch', () => {
      asked++;
      return Promise.reject(new TypeError('Failed to fetch'));
    });
    const overFetch = axios.create({ adapter: 'fetch' });
    const endpoint = runpod({ axios: overFetch, baseUrl: 'https://proxy.example/v2', retry: { base: 1 } }).endpoint(
      'demo',
    );
    expect(await errorOf(endpoint.run(request))).toMatchObject({ code: 'submission_unknown', accepted: 'unknown' });
    expect(asked).toBe(1);
    expect(await errorOf(endpoint.health())).toMatchObject({ code: 'connection', phase: 'sent' });
    expect(asked).toBe(5);
  });

  it('S21 mentions redirects in the error if the browser hides a redirect', async () => {
    inBrowser();
    vi.stubGlobal('fetch', () => Promise.resolve(Response.error()));
    const overFetch = axios.create({ adapter: 'fetch' });
    const endpoint = runpod({ axios: overFetch, baseUrl: 'https://proxy.example/v2', retry: false }).endpoint('demo');
    expect((await errorOf(endpoint.health())).message).toMatch(/redirects.*baseUrl/);
  });
});
