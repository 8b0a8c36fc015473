import { gzipSync } from 'node:zlib';
import axios, { type AxiosInstance } from 'axios';
import { firstValueFrom, from, lastValueFrom, toArray } from 'rxjs';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { axiosTransport, createRunpod, type Transport, type TransportRequest } from '../../../src/index.js';
import { axiosSetup as browserSetup } from '../../../src/http/transports/adapter.browser.js';
import { undiciTransport } from '../../../src/undici.js';
import { Agent, MockAgent } from 'undici';
import { freePort, scriptedServer, type Script } from '../../support/scriptedServer.js';
import { errorOf } from '../../support/wire.js';

const transports: Readonly<Record<string, () => Transport>> = {
  'axiosTransport()': () => axiosTransport(),
  'undiciTransport()': () => undiciTransport(),
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

  it('is cold: each subscription sends once, and none before', async () => {
    const server = await start({ health: {} });
    const reply$ = make()(get(`${server.baseUrl}/demo/health`));
    expect(server.seen()).toHaveLength(0);
    await lastValueFrom(reply$);
    await lastValueFrom(reply$);
    expect(server.seen()).toHaveLength(2);
  });

  it('unsubscribing in the same turn is no failure, and leaves nothing on the wire', async () => {
    const server = await start({ health: {}, status: {} });
    const transport = make();
    transport(get(`${server.baseUrl}/demo/health`))
      .subscribe()
      .unsubscribe();
    await lastValueFrom(transport(get(`${server.baseUrl}/demo/status/1`)));
    expect(server.seen('health')).toEqual([]);
  });

  it('sends method, path, query, headers and body as they are', async () => {
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
    'S21 S22 answers of the status %d are replies',
    async (status) => {
      const server = await start({ health: { status, headers: { location: '/elsewhere' }, body: 'words' } });
      const reply = await lastValueFrom(make()(get(`${server.baseUrl}/demo/health`)));
      expect(reply).toMatchObject({ status, text: 'words' });
      expect(server.seen()).toHaveLength(1);
    },
  );

  it('an answer without a body has an empty text', async () => {
    const server = await start({ health: { status: 204 }, status: { status: 200 } });
    expect(await lastValueFrom(make()(get(`${server.baseUrl}/demo/health`)))).toMatchObject({ status: 204, text: '' });
    expect(await lastValueFrom(make()(get(`${server.baseUrl}/demo/status/1`)))).toMatchObject({ text: '' });
  });

  it.each(['{"a":1}', ' {"big": 12345678901234567890} ', '"text"', 'null', '[]', '<html>', '\n'])(
    'S19 leaves the text %j as it is',
    async (body) => {
      const server = await start({ health: { body } });
      expect((await lastValueFrom(make()(get(`${server.baseUrl}/demo/health`)))).text).toBe(body);
    },
  );

  it('gives headers by their lower-case names, several values joined', async () => {
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

  it('S19 puts characters together that were sent in pieces', async () => {
    const text = '{"text":"héllo 🎈 日本語 ﬁn"}';
    const bytes = Buffer.from(text);
    const parts = Array.from(bytes, (_byte, at) => bytes.subarray(at, at + 1));
    const server = await start({ health: { parts } });
    expect((await lastValueFrom(make()(get(`${server.baseUrl}/demo/health`)))).text).toBe(text);
  });

  it('takes a large answer', async () => {
    const text = 'é'.repeat(3 * 1024 * 1024);
    const server = await start({ health: { body: text } });
    expect((await lastValueFrom(make()(get(`${server.baseUrl}/demo/health`)))).text).toHaveLength(text.length);
  });

  it('S19 leaves a byte order mark out, which no JSON has', async () => {
    const text = '{"id":"job-1","status":"IN_QUEUE"}';
    const server = await start({ run: { parts: [Buffer.from(`\uFEFF${text}`)] }, health: { body: `"\uFEFF"` } });
    expect((await lastValueFrom(make()(get(`${server.baseUrl}/demo/run`)))).text).toBe(text);
    // Within the text it is a character like any other.
    expect((await lastValueFrom(make()(get(`${server.baseUrl}/demo/health`)))).text).toBe('"\uFEFF"');
  });

  it('S1 says of a refused connection that nothing was sent', async () => {
    const url = `http://127.0.0.1:${await freePort()}/v2/demo/health`;
    const error = await errorOf(make()(get(url)));
    expect(error).toMatchObject({ phase: 'connect', code: expect.stringMatching(/^(ECONNREFUSED|ERR_NETWORK)$/) });
    expect(error.message).not.toBe('');
  });

  it.each(['reset', 'reset-before', 'cut'] as const)(
    'S1 says of a broken connection that it was sent: %s',
    async (step) => {
      const server = await start({ run: step });
      const error = await errorOf(make()(get(`${server.baseUrl}/demo/run`, { method: 'POST', body: '{}' })));
      expect(error).toMatchObject({ phase: 'sent' });
      expect(Object.keys(error).filter((key) => !['phase', 'code'].includes(key))).toEqual([]);
      expect(server.seen()).toHaveLength(1);
    },
  );

  it('S5 unsubscribing closes the connection', async () => {
    const server = await start({ health: 'hang' });
    const subscription = make()(get(`${server.baseUrl}/demo/health`)).subscribe();
    await server.until(() => server.waiting);
    subscription.unsubscribe();
    await server.until(() => server.seen('health')[0]?.state === 'gone');
  });
});

describe('close()', () => {
  it.each(['axiosTransport()', 'undiciTransport()'])('%s: closes the connections that it kept', async (name) => {
    const server = await start({ health: {} });
    const transport = transports[name]!();
    await lastValueFrom(transport(get(`${server.baseUrl}/demo/health`)));
    await lastValueFrom(from(transport.close!()), { defaultValue: undefined });
    expect(await errorOf(transport(get(`${server.baseUrl}/demo/health`)))).toBeInstanceOf(Error);
    expect(server.seen()).toHaveLength(1);
  });

  it.each(['axiosTransport()', 'undiciTransport()'])('%s: lets what is under way come to its end', async (name) => {
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

  it('leaves open what it was given', () => {
    expect(axiosTransport(axios.create()).close).toBeUndefined();
    expect(undiciTransport({ dispatcher: new Agent() }).close).toBeUndefined();
  });

  it('two transports share no connections', async () => {
    const server = await start({ health: {} });
    const one = undiciTransport();
    const two = undiciTransport();
    await lastValueFrom(from(one.close!()), { defaultValue: undefined });
    expect(await lastValueFrom(two(get(`${server.baseUrl}/demo/health`)))).toMatchObject({ status: 200 });
  });
});

describe('undiciTransport({ dispatcher })', () => {
  it('sends over the user’s own', async () => {
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
  ])('S1 says of %s that nothing was sent', async (_, headers) => {
    const server = await start({ run: {} });
    const error = await errorOf(undiciTransport()(get(`${server.baseUrl}/demo/run`, { headers })));
    expect(error).toMatchObject({ phase: 'connect' });
    expect(server.seen()).toEqual([]);
  });

  it('S1 says of a dispatcher that is being closed that nothing was sent, and of one that was destroyed that it may have been', async () => {
    const server = await start({ run: {} });
    // It is destroyed as soon as all that is on its way has ended.
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

  it('a dispatcher that throws is an error', async () => {
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
  ])('S1 a submission whose open connection gives %s in %s is not sent again', async (code, syscall) => {
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

  it('unpacks what its adapter asked to be packed', async () => {
    const packed = gzipSync('{"text":"héllo"}');
    const server = await start({ health: { headers: { 'content-encoding': 'gzip' }, parts: [packed] } });
    const own = axiosTransport(axios.create({ adapter: 'http' }));
    expect((await lastValueFrom(own(get(`${server.baseUrl}/demo/health`)))).text).toBe('{"text":"héllo"}');
  });

  it('goes through its interceptors', async () => {
    const own = axios.create({ adapter: 'http' });
    own.interceptors.request.use((config) => {
      config.headers.set('x-from-interceptor', 'yes');
      return config;
    });
    const server = await start({ health: {} });
    await lastValueFrom(axiosTransport(own)(get(`${server.baseUrl}/demo/health`)));
    expect(server.seen()[0]?.headers['x-from-interceptor']).toBe('yes');
  });

  it('asks its adapter for text, whatever the instance says: XMLHttpRequest would parse it, and round integers', async () => {
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

  it('takes an adapter that has parsed the answer already', async () => {
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

  it('drops headers that have no value', async () => {
    const own = axios.create({
      adapter: (config) =>
        Promise.resolve({ status: 200, statusText: '', headers: { 'X-A': null, 'X-B': 7 } as never, data: '', config }),
    });
    expect((await lastValueFrom(axiosTransport(own)(get('https://api.example/x')))).headers).toEqual({ 'x-b': '7' });
  });
});
