import { gzipSync } from 'node:zlib';
import axios, { type AxiosInstance } from 'axios';
import { firstValueFrom, from, lastValueFrom, toArray } from 'rxjs';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { axiosTransport, createRunpod, type Transport, type TransportRequest } from '../../../src/index.js';
import { axiosSetup as browserSetup } from '../../../src/http/transports/adapter.fetch.js';
import { fetchTransport } from '../../../src/fetch.js';
import { undiciTransport } from '../../../src/undici.js';
import { Agent, MockAgent } from 'undici';
import { freePort, scriptedServer, type Script } from '../../support/scriptedServer.js';
import { errorOf } from '../../support/wire.js';

const transports: Readonly<Record<string, () => Transport>> = {
  'axiosTransport()': () => axiosTransport(),
  'undiciTransport()': () => undiciTransport(),
  'fetchTransport()': () => fetchTransport(),
  'axiosTransport(own), http adapter': () => axiosTransport(axios.create({ adapter: 'http' })),
  'axiosTransport(own), as in a browser': () => axiosTransport(browserSetup().http as AxiosInstance),
};

async function start(script: Script) {
  const server = await scriptedServer(script);
  onTestFinished(() => server.close());
  return server;
}

const get = (url: string, more: Partial<TransportRequest> = {}): TransportRequest => ({
  method: 'GET',
  url,
  headers: {},
  timeout: 60_000,
  operation: 'health',
  ...more,
});

describe.each(Object.entries(transports))('%s', (_, make) => {
  it('emits one reply and completes', async () => {
    const server = await start({ health: { body: 'text' } });
    const replies = await lastValueFrom(make()(get(`${server.baseUrl}/demo/health`)).pipe(toArray()));
    expect(replies).toEqual([{ status: 200, headers: expect.anything(), text: 'text' }]);
  });

  it('is cold: sends one request for each subscription, and none before', async () => {
    const server = await start({ health: {} });
    const reply$ = make()(get(`${server.baseUrl}/demo/health`));
    expect(server.seen()).toHaveLength(0);
    await lastValueFrom(reply$);
    await lastValueFrom(reply$);
    expect(server.seen()).toHaveLength(2);
  });

  it('sends nothing and does not fail when it is unsubscribed in the same turn', async () => {
    const server = await start({ health: {}, status: {} });
    const transport = make();
    transport(get(`${server.baseUrl}/demo/health`))
      .subscribe()
      .unsubscribe();
    await lastValueFrom(transport(get(`${server.baseUrl}/demo/status/1`)));
    expect(server.seen('health')).toEqual([]);
  });

  it('sends method, path, query, headers and body unchanged', async () => {
    const server = await start({ run: {} });
    const body = '{"input":{"text":"héllo 🎈","big":12345678901234567890,"spaces":  1}}';
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'] as const) {
      await lastValueFrom(
        make()(
          get(`${server.baseUrl}/demo/run?a=%20b&c=d%2Fe`, {
            method,
            headers: { 'content-type': 'application/json', 'x-own': '1', authorization: 'Bearer abc' },
            body,
          }),
        ),
      );
    }
    for (const [at, seen] of server.seen().entries()) {
      expect(seen).toMatchObject({
        method: ['POST', 'PUT', 'PATCH', 'DELETE'][at],
        path: '/v2/demo/run?a=%20b&c=d%2Fe',
        body,
        headers: { 'content-type': 'application/json', 'x-own': '1', authorization: 'Bearer abc' },
      });
      expect(seen.headers['content-length'] ?? '').toBe(String(Buffer.byteLength(body)));
    }
  });

  it('sends a POST without a body', async () => {
    const server = await start({ cancel: {} });
    await lastValueFrom(make()(get(`${server.baseUrl}/demo/cancel/1`, { method: 'POST' })));
    expect(server.seen()).toMatchObject([{ method: 'POST', body: '' }]);
    expect(server.seen()[0]?.headers['content-length']).toBe('0');
  });

  it.each([200, 201, 299, 302, 307, 400, 401, 404, 418, 429, 500, 502, 599])(
    'S21 S22 emits an answer with the status %d as a reply',
    async (status) => {
      const server = await start({ health: { status, headers: { location: '/elsewhere' }, body: 'words' } });
      const reply = await lastValueFrom(make()(get(`${server.baseUrl}/demo/health`)));
      expect(reply).toMatchObject({ status, text: 'words' });
      expect(server.seen()).toHaveLength(1);
    },
  );

  it('gives an answer without a body an empty text', async () => {
    const server = await start({ health: { status: 204 }, status: { status: 200 } });
    expect(await lastValueFrom(make()(get(`${server.baseUrl}/demo/health`)))).toMatchObject({ status: 204, text: '' });
    expect(await lastValueFrom(make()(get(`${server.baseUrl}/demo/status/1`)))).toMatchObject({ text: '' });
  });

  it.each(['{"a":1}', ' {"big": 12345678901234567890} ', '"text"', 'null', '[]', '<html>', '\n'])(
    'S19 does not change the text %j',
    async (body) => {
      const server = await start({ health: { body } });
      expect((await lastValueFrom(make()(get(`${server.baseUrl}/demo/health`)))).text).toBe(body);
    },
  );

  it('gives header names in lower case, and joins several values', async () => {
    const server = await start({
      health: {
        headers: {
          'X-Request-ID': 'Req-1',
          'RETRY-AFTER': '3',
          'X-Many': ['one', 'two'],
          'Set-Cookie': ['a=1', 'b=2'],
        },
      },
    });
    const { headers } = await lastValueFrom(make()(get(`${server.baseUrl}/demo/health`)));
    expect(headers).toMatchObject({ 'x-request-id': 'Req-1', 'retry-after': '3', 'x-many': 'one, two' });
    expect(Object.keys(headers).filter((header) => header !== header.toLowerCase())).toEqual([]);
    for (const value of Object.values(headers)) expect(typeof value).toBe('string');
  });

  it('S19 decodes characters whose bytes arrive one by one', async () => {
    const text = '{"text":"héllo 🎈 日本語 ﬁn"}';
    const bytes = Buffer.from(text);
    const parts = Array.from(bytes, (_byte, at) => bytes.subarray(at, at + 1));
    const server = await start({ health: { parts } });
    expect((await lastValueFrom(make()(get(`${server.baseUrl}/demo/health`)))).text).toBe(text);
  });

  it('reads a large answer', async () => {
    const text = 'é'.repeat(3 * 1024 * 1024);
    const server = await start({ health: { body: text } });
    expect((await lastValueFrom(make()(get(`${server.baseUrl}/demo/health`)))).text).toHaveLength(text.length);
  });

  it('S19 removes a byte order mark, which JSON does not allow', async () => {
    const text = '{"id":"job-1","status":"IN_QUEUE"}';
    const server = await start({ run: { parts: [Buffer.from(`\uFEFF${text}`)] }, health: { body: `"\uFEFF"` } });
    expect((await lastValueFrom(make()(get(`${server.baseUrl}/demo/run`)))).text).toBe(text);
    // Inside the text, the mark is kept.
    expect((await lastValueFrom(make()(get(`${server.baseUrl}/demo/health`)))).text).toBe('"\uFEFF"');
  });

  it('S1 gives the error of a refused connection the phase connect', async () => {
    const url = `http://127.0.0.1:${await freePort()}/v2/demo/health`;
    const error = await errorOf(make()(get(url)));
    expect(error).toMatchObject({ phase: 'connect', code: expect.stringMatching(/^(ECONNREFUSED|ERR_NETWORK)$/) });
    expect(error.message).not.toBe('');
  });

  it.each(['reset', 'reset-before', 'cut'] as const)(
    'S1 gives the error of a broken connection the phase sent: %s',
    async (step) => {
      const server = await start({ run: step });
      const error = await errorOf(make()(get(`${server.baseUrl}/demo/run`, { method: 'POST', body: '{}' })));
      expect(error).toMatchObject({ phase: 'sent' });
      expect(Object.keys(error).filter((key) => !['phase', 'code'].includes(key))).toEqual([]);
      expect(server.seen()).toHaveLength(1);
    },
  );

  it('S5 closes the connection when it is unsubscribed', async () => {
    const server = await start({ health: 'hang' });
    const subscription = make()(get(`${server.baseUrl}/demo/health`)).subscribe();
    await server.until(() => server.waiting);
    subscription.unsubscribe();
    await server.until(() => server.seen('health')[0]?.state === 'gone');
  });
});

describe('close()', () => {
  it.each(['axiosTransport()', 'undiciTransport()'])('%s: closes its idle connections', async (name) => {
    const server = await start({ health: {} });
    const transport = transports[name]!();
    await lastValueFrom(transport(get(`${server.baseUrl}/demo/health`)));
    await lastValueFrom(from(transport.close!()), { defaultValue: undefined });
    expect(await errorOf(transport(get(`${server.baseUrl}/demo/health`)))).toBeInstanceOf(Error);
    expect(server.seen()).toHaveLength(1);
  });

  it.each(['axiosTransport()', 'undiciTransport()'])('%s: lets requests in flight finish', async (name) => {
    let answer = (): void => undefined;
    const step = new Promise<object>((resolve) => (answer = () => resolve({ body: 'late' })));
    const server = await start({ health: step });
    const transport = transports[name]!();
    const reply = firstValueFrom(transport(get(`${server.baseUrl}/demo/health`)));
    await server.until(() => server.waiting);
    const closed = lastValueFrom(from(transport.close!()), { defaultValue: undefined });
    answer();
    expect(await reply).toMatchObject({ text: 'late' });
    await closed;
  });

  it('does not exist for an axios instance or a dispatcher of the user', () => {
    expect(axiosTransport(axios.create()).close).toBeUndefined();
    expect(undiciTransport({ dispatcher: new Agent() }).close).toBeUndefined();
  });

  it('does not close the connections of another transport', async () => {
    const server = await start({ health: {} });
    const one = undiciTransport();
    const two = undiciTransport();
    await lastValueFrom(from(one.close!()), { defaultValue: undefined });
    expect(await lastValueFrom(two(get(`${server.baseUrl}/demo/health`)))).toMatchObject({ status: 200 });
  });
});

describe('undiciTransport({ dispatcher })', () => {
  it('sends over the given dispatcher', async () => {
    const agent = new MockAgent();
    agent.disableNetConnect();
    agent.get('https://api.example').intercept({ path: '/v2/demo/health?a=1' }).reply(200, 'mocked');
    const reply = await lastValueFrom(
      undiciTransport({ dispatcher: agent })(get('https://api.example/v2/demo/health?a=1')),
    );
    expect(reply.text).toBe('mocked');
    await agent.close();
  });

  it.each<[string, Readonly<Record<string, string>>]>([
    ['a header that HTTP cannot carry', { 'x-user': 'Zoë→' }],
    ['an expectation that undici does not know', { expect: '100-continue' }],
  ])('S1 gives the error of %s the phase connect', async (_, headers) => {
    const server = await start({ run: {} });
    const error = await errorOf(undiciTransport()(get(`${server.baseUrl}/demo/run`, { headers })));
    expect(error).toMatchObject({ phase: 'connect' });
    expect(server.seen()).toEqual([]);
  });

  it('S1 gives the error of a closed dispatcher the phase connect, and of a destroyed dispatcher the phase sent', async () => {
    const server = await start({ run: {} });
    // close() destroys the dispatcher only after its open requests have ended.
    const closed = new Agent();
    void closed.close();
    const destroyed = new Agent();
    void destroyed.destroy();
    const phases = await Promise.all(
      [closed, destroyed].map((dispatcher) =>
        errorOf(undiciTransport({ dispatcher })(get(`${server.baseUrl}/demo/run`))),
      ),
    );
    expect(phases).toMatchObject([{ phase: 'connect' }, { phase: 'sent' }]);
  });

  it('emits an error when the dispatcher throws', async () => {
    const agent = new Agent();
    vi.spyOn(agent, 'dispatch').mockImplementation(() => {
      throw new Error('no dispatching today');
    });
    expect(await errorOf(undiciTransport({ dispatcher: agent })(get('http://127.0.0.1:1/x')))).toMatchObject({
      message: 'no dispatching today',
      phase: 'sent',
    });
  });
});

describe('axiosTransport(own)', () => {
  it.each([
    ['EHOSTUNREACH', 'read'],
    ['ENETUNREACH', 'write'],
    ['ECONNREFUSED', 'read'],
  ])('S1 does not repeat a submission after %s in a %s of an open connection', async (code, syscall) => {
    let sent = 0;
    const adapter = () => {
      sent++;
      return Promise.reject(Object.assign(new Error(`${syscall} ${code}`), { code, syscall }));
    };
    const client = createRunpod({
      transport: axiosTransport(axios.create({ adapter })),
      apiKey: 'key',
      retry: { base: 1 },
    });
    expect(await errorOf(client.endpoint('demo').run({ input: { x: 1 } }))).toMatchObject({
      code: 'submission_unknown',
      cause: { code: 'connection', phase: 'sent' },
    });
    expect(sent).toBe(1);
  });

  it('unpacks a compressed answer', async () => {
    const packed = gzipSync('{"text":"héllo"}');
    const server = await start({ health: { headers: { 'content-encoding': 'gzip' }, parts: [packed] } });
    const own = axiosTransport(axios.create({ adapter: 'http' }));
    expect((await lastValueFrom(own(get(`${server.baseUrl}/demo/health`)))).text).toBe('{"text":"héllo"}');
  });

  it('runs the interceptors of the instance', async () => {
    const own = axios.create({ adapter: 'http' });
    own.interceptors.request.use((config) => {
      config.headers.set('x-from-interceptor', 'yes');
      return config;
    });
    const server = await start({ health: {} });
    await lastValueFrom(axiosTransport(own)(get(`${server.baseUrl}/demo/health`)));
    expect(server.seen()[0]?.headers['x-from-interceptor']).toBe('yes');
  });

  it('asks the adapter for text even if the instance asks for JSON: XMLHttpRequest would parse it and round integers', async () => {
    let asked: unknown;
    const own = axios.create({
      responseType: 'json',
      adapter: (config) => {
        asked = config.responseType;
        return Promise.resolve({ status: 200, statusText: '', headers: {}, data: '', config });
      },
    });
    await lastValueFrom(axiosTransport(own)(get('https://api.example/x')));
    expect(asked).toBe('text');
  });

  it('accepts an answer that the adapter has already parsed', async () => {
    const own = (data: unknown) =>
      axiosTransport(
        axios.create({
          adapter: (config) => Promise.resolve({ status: 200, statusText: '', headers: {}, data, config }),
        }),
      );
    const text = async (data: unknown) => (await lastValueFrom(own(data)(get('https://api.example/x')))).text;
    expect(await text({ id: 'job-1' })).toBe('{"id":"job-1"}');
    expect(await text(null)).toBe('null');
    expect(await text(undefined)).toBe('');
  });

  it('drops headers without a value', async () => {
    const own = axios.create({
      adapter: (config) =>
        Promise.resolve({ status: 200, statusText: '', headers: { 'X-A': null, 'X-B': 7 } as never, data: '', config }),
    });
    expect((await lastValueFrom(axiosTransport(own)(get('https://api.example/x')))).headers).toEqual({ 'x-b': '7' });
  });
});
