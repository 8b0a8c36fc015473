import { EMPTY, Subject, defer, of, throwError } from 'rxjs';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ConfigurationError, createRunpod, runpod } from 'runpod-rx';
import type { ClientOptions, Reply, Transport, TransportRequest } from 'runpod-rx';
import { script } from '../support/world.js';

const input = { x: 1 };
const queued: Reply = { status: 200, headers: {}, text: '{"id":"a","status":"IN_QUEUE"}' };

function client(options: Partial<ClientOptions> = {}) {
  const sent: TransportRequest[] = [];
  const transport: Transport = (request) =>
    defer(() => {
      sent.push(request);
      return of(queued);
    });
  return { sent, client: createRunpod({ transport, ...options }) };
}

/** The error of a run, if it errors synchronously. */
function failure(made: ReturnType<typeof client>['client'], id: string | undefined = 'demo'): unknown {
  let failed: unknown;
  made
    .endpoint(id)
    .run({ input })
    .subscribe({ error: (error: unknown) => (failed = error) });
  return failed;
}

beforeEach(() => {
  for (const name of ['RUNPOD_API_KEY', 'RUNPOD_BASE_URL', 'ENDPOINT_ID']) vi.stubEnv(name, undefined);
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.unstubAllGlobals();
});

describe('options', () => {
  test.each<[Partial<ClientOptions>, RegExp]>([
    [{ baseUrl: 'ftp://example.org' }, /http/],
    [{ baseUrl: 'example.org/v2' }, /http/],
    [{ baseUrl: '' }, /http/],
    [{ baseUrl: 'https://' }, /http/],
    [{ baseUrl: '/v2' }, /base URL/],
    [{ baseUrl: 'https://user:word@example.org' }, /user name/],
    [{ baseUrl: 'http://example.org' }, /https/],
    [{ baseUrl: 'http://localhost.example.org' }, /https/],
    [{ limits: { share: 0 } }, /share/],
    [{ limits: { share: 1.5 } }, /share/],
    [{ limits: { share: -1 } }, /share/],
    [{ limits: { share: NaN } }, /share/],
    [{ requestTimeout: -1 }, /requestTimeout/],
    [{ requestTimeout: NaN }, /requestTimeout/],
    [{ requestTimeout: 2 ** 31 }, /requestTimeout/],
    [{ requestTimeout: '5' as never }, /requestTimeout/],
  ])('%j throw a ConfigurationError', (options, message) => {
    const make = () => client({ apiKey: 'key', ...options });
    expect(make).toThrow(ConfigurationError);
    expect(make).toThrow(message);
  });

  test.each<Partial<ClientOptions>>([
    { baseUrl: 'https://proxy.example.org/runpod/v2/?team=a' },
    { baseUrl: 'http://localhost:8000' },
    { baseUrl: 'http://127.0.0.1:8000/v2' },
    { baseUrl: 'http://[::1]:8000' },
    { baseUrl: 'http://example.org', allowInsecure: true },
    { limits: { share: 1 } },
    { limits: { share: 0.001 } },
    { limits: { run: { requests: 1 } } },
    { requestTimeout: 0 },
    { requestTimeout: 2 ** 31 - 1 },
    { retry: false },
  ])('%j are accepted', (options) => {
    expect(() => client({ apiKey: 'key', ...options })).not.toThrow();
  });

  test('an invalid RUNPOD_BASE_URL throws a ConfigurationError', () => {
    vi.stubEnv('RUNPOD_BASE_URL', 'nonsense');
    expect(() => client()).toThrow(ConfigurationError);
  });
});

describe('the base URL', () => {
  test.each([
    ['https://proxy.example.org/runpod/v2/?team=a', 'https://proxy.example.org/runpod/v2/demo/run?team=a'],
    ['https://proxy.example.org///', 'https://proxy.example.org/demo/run'],
  ])('%s gives %s', (baseUrl, url) => {
    const made = client({ apiKey: 'key', baseUrl });
    made.client.endpoint('demo').run({ input }).subscribe();
    expect(made.sent).toMatchObject([{ url }]);
  });

  test('sends its query together with the query of the call', () => {
    const made = client({ apiKey: 'key', baseUrl: 'https://proxy.example.org/v2?team=a&b=c%20d' });
    made.client.endpoint('demo').runSync({ input }, { wait: 1_000 }).subscribe().unsubscribe();
    expect(made.sent[0]!.url).toBe('https://proxy.example.org/v2/demo/runsync?team=a&b=c%20d&wait=1000');
  });

  test('may be relative in a page', () => {
    vi.stubGlobal('location', { href: 'https://app.example.org/' });
    const made = client({ baseUrl: '/api/v2' });
    made.client.endpoint('demo').run({ input }).subscribe();
    expect(made.sent).toMatchObject([{ url: '/api/v2/demo/run' }]);
  });
});

describe('the environment', () => {
  test('gives RUNPOD_API_KEY, RUNPOD_BASE_URL and ENDPOINT_ID for missing options', () => {
    vi.stubEnv('RUNPOD_API_KEY', 'from-env');
    vi.stubEnv('RUNPOD_BASE_URL', 'https://proxy.example.org/v2');
    vi.stubEnv('ENDPOINT_ID', 'env-endpoint');
    const made = client();
    const endpoint = made.client.endpoint();
    endpoint.run({ input }).subscribe();
    expect(endpoint.id).toBe('env-endpoint');
    expect(made.sent).toMatchObject([
      { url: 'https://proxy.example.org/v2/env-endpoint/run', headers: { authorization: 'Bearer from-env' } },
    ]);
  });

  test('does not replace given options', () => {
    vi.stubEnv('RUNPOD_API_KEY', 'from-env');
    vi.stubEnv('RUNPOD_BASE_URL', 'https://proxy.example.org/v2');
    vi.stubEnv('ENDPOINT_ID', 'env-endpoint');
    const made = client({ apiKey: 'mine', baseUrl: 'https://mine.example.org' });
    made.client.endpoint('demo').run({ input }).subscribe();
    expect(made.sent).toMatchObject([
      { url: 'https://mine.example.org/demo/run', headers: { authorization: 'Bearer mine' } },
    ]);
  });

  test('counts an empty variable as missing', () => {
    vi.stubEnv('RUNPOD_API_KEY', '');
    vi.stubEnv('RUNPOD_BASE_URL', '');
    vi.stubEnv('ENDPOINT_ID', '');
    const made = client();
    expect(failure(made.client)).toMatchObject({ code: 'configuration' });
    expect(made.client.endpoint().id).toBeUndefined();
  });

  test('is not required', () => {
    vi.stubGlobal('process', undefined);
    const made = client({ apiKey: 'key' });
    made.client.endpoint('demo').run({ input }).subscribe();
    expect(made.sent).toMatchObject([{ url: 'https://api.runpod.ai/v2/demo/run' }]);
  });
});

describe('S20 a call', () => {
  test('errors without a key', () => {
    const made = client();
    expect(failure(made.client)).toMatchObject({
      code: 'configuration',
      operation: 'run',
      endpointId: 'demo',
      accepted: 'no',
      message: expect.stringContaining('RUNPOD_API_KEY'),
    });
    expect(made.sent).toEqual([]);
  });

  test('needs no key for a server of the user', () => {
    const made = client({ baseUrl: 'https://proxy.example.org' });
    expect(failure(made.client)).toBeUndefined();
    expect(made.sent[0]!.headers).not.toHaveProperty('authorization');
  });

  test('does not send a key from its headers', () => {
    const made = client({ baseUrl: 'https://proxy.example.org' });
    const headers = { Authorization: 'Bearer mine', 'X-Mine': 'yes' };
    made.client.endpoint('demo').run({ input }, { headers }).subscribe();
    expect(made.sent[0]!.headers).toMatchObject({ 'x-mine': 'yes' });
    expect(made.sent[0]!.headers).not.toHaveProperty('authorization');
  });

  test('errors without an endpoint id', () => {
    const made = client({ apiKey: 'key' });
    const endpoint = made.client.endpoint();
    const errors: unknown[] = [];
    const calls = [
      endpoint.run({ input }),
      endpoint.runSync({ input }),
      endpoint.status('a'),
      endpoint.watch('a'),
      endpoint.stream('a'),
      endpoint.cancel('a'),
      endpoint.retry('a'),
      endpoint.health(),
      endpoint.watchHealth(),
      endpoint.purgeQueue(),
      endpoint.request('x'),
    ];
    for (const call$ of calls) call$.subscribe({ error: (error: unknown) => errors.push(error) });
    expect(errors).toHaveLength(calls.length);
    for (const error of errors)
      expect(error).toMatchObject({ code: 'configuration', message: expect.stringContaining('ENDPOINT_ID') });
    expect(made.sent).toEqual([]);
  });

  test.each(['a/b', '../demo', 'a b', 'a?b', ''])('errors with an invalid id: %j', (id) => {
    const made = client({ apiKey: 'key' });
    expect(failure(made.client, id)).toMatchObject({ operation: 'run' });
    let failed: unknown;
    made.client
      .endpoint('demo')
      .status(id)
      .subscribe({ error: (error: unknown) => (failed = error) });
    expect(failed).toMatchObject({ code: 'validation', issues: [{ field: 'job id' }] });
    expect(made.sent).toEqual([]);
  });
});

describe('apiKey', () => {
  test('as a function is called for each attempt', () => {
    const keys = ['one', 'two', 'three'];
    const { endpoint, sent, see, until } = script(
      (_, nth) => (nth < 3 ? { status: 503 } : { body: { id: 'a', status: 'COMPLETED' } }),
      { apiKey: () => of(keys.shift() ?? 'none') },
    );
    see(endpoint.status('a'));
    until(60_000);
    expect(sent.map(({ headers }) => headers.authorization)).toEqual(['Bearer one', 'Bearer two', 'Bearer three']);
  });

  test('may arrive later, from an Observable that does not complete', () => {
    const key$ = new Subject<string>();
    const { endpoint, sent, see } = script(() => 'never', { apiKey: () => key$ });
    see(endpoint.health());
    expect(sent).toEqual([]);
    key$.next('late');
    expect(sent).toMatchObject([{ headers: { authorization: 'Bearer late' } }]);
  });

  test('does not send the request again when its Observable emits again', () => {
    const key$ = new Subject<string>();
    const { endpoint, sent, see, until } = script(() => ({ body: { id: 'a', status: 'IN_QUEUE' }, after: 100 }), {
      apiKey: () => key$,
    });
    const seen = see(endpoint.run({ input }));
    key$.next('one');
    until(50);
    key$.next('two');
    until(1_000);
    expect(sent).toHaveLength(1);
    expect(seen).toMatchObject({ values: [{ id: 'a' }], ended: 100 });
  });

  test.each<[string, ClientOptions['apiKey'], RegExp]>([
    ['fails', () => throwError(() => new Error('vault is closed')), /apiKey/],
    [
      'throws',
      () => {
        throw new Error('vault is closed');
      },
      /apiKey/,
    ],
    ['gives an empty key', () => of(''), /no API key/],
    ['gives nothing', () => EMPTY, /API key|apiKey/],
    ['gives a key with a space', () => of('my key'), /API key/],
    ['is a key with a line break', 'key\r\nx-evil: 1', /API key/],
  ])('that %s is an error of the call, and nothing is sent', (_, apiKey, message) => {
    const made = client({ apiKey });
    const error = failure(made.client);
    expect(error).toMatchObject({ code: 'configuration', accepted: 'no', message: expect.stringMatching(message) });
    expect(String(error)).not.toMatch(/my key|evil/);
    expect(made.sent).toEqual([]);
  });
});

describe('runpod', () => {
  test('creates a client, and throws a ConfigurationError for an invalid base URL', () => {
    expect(() => runpod({ apiKey: 'key' })).not.toThrow();
    expect(() => runpod({ apiKey: 'key', baseUrl: 'nonsense' })).toThrow(ConfigurationError);
  });

  test('S21 refuses a key in a browser without allowBrowser', () => {
    vi.stubGlobal('window', globalThis);
    vi.stubGlobal('document', {});
    expect(failure(runpod({ apiKey: 'key' }))).toMatchObject({
      code: 'configuration',
      message: expect.stringContaining('allowBrowser'),
    });
  });
});

describe('an endpoint', () => {
  test('with the same id shares reads, but has its own options', () => {
    const { client: made, sent, see } = script(() => 'never');
    const [one, two] = [made.endpoint('demo'), made.endpoint('demo', { parse: (text) => text })];
    see(one.watch('a'));
    see(two.watch('a'));
    expect(sent).toHaveLength(1);
    expect([one.id, two.id]).toEqual(['demo', 'demo']);
  });

  test('of another client shares nothing', () => {
    const one = client({ apiKey: 'key' });
    const two = client({ apiKey: 'key' });
    for (const made of [one, two]) made.client.endpoint('demo').status('a').subscribe();
    expect([one.sent.length, two.sent.length]).toEqual([1, 1]);
  });
});
