import { firstValueFrom } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { createRunpod, runpod } from '../../src/index.js';
import { undiciTransport } from '../../src/undici.js';
import { proxyServer } from '../support/proxyServer.js';
import { freePort, scriptedServer } from '../support/scriptedServer.js';
import { KEY, errorOf, everyForm, wire } from '../support/wire.js';

const QUEUED = { body: { id: 'job-1', status: 'IN_QUEUE' } };
const request = { input: { x: 1 } };
/** A host that does not exist: only a proxy leads to it. */
const baseUrl = 'http://api.example.test/v2';
const secure = 'https://api.example.test/v2';

const VARIABLES = ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'no_proxy'];

beforeEach(() => {
  for (const name of VARIABLES) vi.stubEnv(name, '');
});
afterEach(() => {
  vi.unstubAllEnvs();
});

async function proxied(answer?: Parameters<typeof proxyServer>[1]) {
  const server = await scriptedServer({ run: QUEUED, status: QUEUED, cancel: QUEUED });
  const proxy = await proxyServer(server.port, answer);
  onTestFinished(async () => {
    await proxy.close();
    await server.close();
  });
  return { server, proxy, url: `http://127.0.0.1:${proxy.port}` };
}

const names = ['axios over undici', 'undici'] as const;

describe.each(names)('%s', (name) => {
  it.each(['HTTP_PROXY', 'http_proxy'])('S27 asks the proxy of %s for plain http', async (variable) => {
    const { server, proxy, url } = await proxied();
    vi.stubEnv(variable, url);
    const { endpoint } = await wire(name, {}, { baseUrl: `${baseUrl}?a=1`, allowInsecure: true });
    expect(await firstValueFrom(endpoint.run(request))).toMatchObject({ id: 'job-1' });
    expect(await firstValueFrom(endpoint.status('job-1'))).toMatchObject({ id: 'job-1' });
    expect(proxy.seen.map(({ method, target }) => `${method} ${target}`)).toEqual([
      'POST http://api.example.test/v2/demo/run?a=1',
      'GET http://api.example.test/v2/demo/status/job-1?a=1',
    ]);
    expect(server.seen()[0]).toMatchObject({
      path: '/v2/demo/run?a=1',
      body: '{"input":{"x":1}}',
      headers: { host: 'api.example.test', authorization: `Bearer ${KEY}` },
    });
  });

  it.each(['HTTPS_PROXY', 'https_proxy'])('S27 opens a tunnel through the proxy of %s for https', async (variable) => {
    const { proxy, url } = await proxied();
    vi.stubEnv(variable, url);
    const { endpoint } = await wire(name, {}, { baseUrl: secure, retry: false });
    // The server at the end of the tunnel has no TLS.
    expect(await errorOf(endpoint.run(request))).toMatchObject({
      code: 'connection',
      phase: 'connect',
      accepted: 'no',
    });
    expect(proxy.seen).toMatchObject([{ method: 'CONNECT', target: 'api.example.test:443' }]);
    expect(proxy.seen[0]?.headers).not.toHaveProperty('authorization');
  });

  it('S27 sends the name and password of the proxy to the proxy, and shows them nowhere', async () => {
    const { proxy, server } = await proxied();
    vi.stubEnv('HTTP_PROXY', `http://us%40er:pass-word@127.0.0.1:${proxy.port}`);
    vi.stubEnv('HTTPS_PROXY', `us%40er:pass-word@127.0.0.1:${proxy.port}`);
    const { endpoint } = await wire(name, {}, { baseUrl, allowInsecure: true });
    await firstValueFrom(endpoint.run(request));
    const tunnelled = await wire(name, {}, { baseUrl: secure, retry: false });
    const error = await errorOf(tunnelled.endpoint.run(request));
    const expected = `Basic ${Buffer.from('us@er:pass-word').toString('base64')}`;
    expect(proxy.seen.map(({ headers }) => headers['proxy-authorization'])).toEqual([expected, expected]);
    expect(server.seen()[0]?.headers).not.toHaveProperty('x-forwarded-password');
    expect(everyForm([error, endpoint, tunnelled.client])).not.toMatch(/pass-word|dXNAZXI/);
  });

  it.each([407, 403, 502, 'break off'] as const)(
    'S1 S27 a tunnel that the proxy does not open counts as never connected: %s',
    async (answer) => {
      const { proxy, url } = await proxied(answer);
      vi.stubEnv('HTTPS_PROXY', url);
      const { endpoint, leaping } = await wire(name, {}, { baseUrl: secure });
      leaping();
      const error = await errorOf(endpoint.run(request));
      expect(error).toMatchObject({ code: 'connection', phase: 'connect', accepted: 'no', retryable: true });
      // It is repeated as any connection that was never made, and not without end.
      expect(proxy.seen).toHaveLength(4);
    },
  );

  it('S1 S27 a proxy that is not there counts as never connected', async () => {
    vi.stubEnv('HTTP_PROXY', `http://127.0.0.1:${await freePort()}`);
    vi.stubEnv('HTTPS_PROXY', `http://127.0.0.1:${await freePort()}`);
    for (const options of [{ baseUrl, allowInsecure: true }, { baseUrl: secure }]) {
      const { endpoint } = await wire(name, {}, { ...options, retry: false });
      expect(await errorOf(endpoint.run(request))).toMatchObject({ phase: 'connect', accepted: 'no' });
    }
  });

  it('S1 S27 the answer of a proxy for plain http is an answer', async () => {
    const { url } = await proxied(407);
    vi.stubEnv('HTTP_PROXY', url);
    const { endpoint } = await wire(name, {}, { baseUrl, allowInsecure: true });
    expect(await errorOf(endpoint.run(request))).toMatchObject({ code: 'http', status: 407, accepted: 'no' });
  });

  it.each(['socks5://127.0.0.1:1', 'http://', 'ftp://user:pass-word@proxy.example'])(
    'S27 says that %s is no URL of a proxy, and sends nothing',
    async (given) => {
      vi.stubEnv('HTTPS_PROXY', given);
      const { endpoint } = await wire(name, {}, { baseUrl: secure, retry: false });
      const error = await errorOf(endpoint.run(request));
      expect(error).toMatchObject({ code: 'connection', phase: 'connect', accepted: 'no' });
      expect(error.message).toMatch(/environment variable HTTPS_PROXY must be an http or https URL/);
      expect(everyForm(error)).not.toContain('pass-word');
    },
  );

  it('S27 reaches this machine directly, and hosts of NO_PROXY', async () => {
    const { server, proxy, url } = await proxied();
    vi.stubEnv('HTTP_PROXY', url);
    vi.stubEnv('NO_PROXY', 'other.example, .example.test');
    const { endpoint } = await wire(name, {}, { baseUrl: server.baseUrl });
    await firstValueFrom(endpoint.run(request));
    const direct = await wire(name, {}, { baseUrl, allowInsecure: true, retry: false });
    expect(await errorOf(direct.endpoint.run(request))).toMatchObject({ phase: 'connect' });
    expect(proxy.seen).toEqual([]);
    expect(server.seen()).toHaveLength(1);
  });

  it('S21 S27 a redirect through a proxy is not followed', async () => {
    const server = await scriptedServer({ status: { status: 307, headers: { location: 'http://evil.example/' } } });
    const proxy = await proxyServer(server.port);
    vi.stubEnv('HTTP_PROXY', `http://127.0.0.1:${proxy.port}`);
    const { endpoint } = await wire(name, {}, { baseUrl, allowInsecure: true });
    expect(await errorOf(endpoint.status('job-1'))).toMatchObject({ code: 'http', status: 307 });
    expect(proxy.seen).toHaveLength(1);
    await proxy.close();
    await server.close();
  });

  it('S27 closes its connections to the proxy', async () => {
    const { url } = await proxied();
    vi.stubEnv('HTTP_PROXY', url);
    vi.stubEnv('HTTPS_PROXY', url);
    const options = { apiKey: KEY, retry: false as const };
    const make = name === 'undici' ? () => undiciTransport() : undefined;
    const open = (base: string) => {
      const given = { ...options, baseUrl: base, allowInsecure: true };
      return make ? createRunpod({ ...given, transport: make() }) : runpod(given);
    };
    const plain = open(baseUrl);
    await firstValueFrom(plain.endpoint('demo').run(request));
    const tunnelled = open(secure);
    await errorOf(tunnelled.endpoint('demo').run(request));
    for (const client of [plain, tunnelled]) expect(await firstValueFrom(client.close())).toMatchObject({});
  });
});
