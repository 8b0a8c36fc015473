import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import fc from 'fast-check';
import { of } from 'rxjs';
import { afterEach, describe, expect, test } from 'vitest';
import { startEmulator } from 'runpod-rx/emulator';
import type { EmulatorOptions, ListeningEmulator } from 'runpod-rx/emulator';
import { seed } from '../../support/seed.js';

const running: ListeningEmulator[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((emulator) => emulator.close()));
});

async function start(options: Partial<EmulatorOptions> = {}): Promise<ListeningEmulator> {
  const emulator = await startEmulator({ endpoints: { demo: { handler: () => 'done' } }, ...options });
  running.push(emulator);
  return emulator;
}

interface Sent {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Sends a request with exactly these headers and this path, as `fetch` would not. */
function send(
  { port }: ListeningEmulator,
  { method = 'GET', path = '/v2/demo/health', headers = {}, body = '' }: Sent,
) {
  return new Promise<{ status: number; text: string }>((resolve, reject) => {
    const request = httpRequest({ host: '127.0.0.1', port, method, path, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    request.on('error', reject);
    request.end(body);
  });
}

const job = '{"input":{"from":"a page"}}';
const evil = { origin: 'https://evil.example' };
const simple = { ...evil, 'content-type': 'text/plain' };

/** Every kind of route, and what changes something by the first byte. */
const routes: readonly Sent[] = [
  { method: 'POST', path: '/v2/demo/run', body: job },
  { method: 'POST', path: '/v2/demo/runsync', body: job },
  { method: 'POST', path: '/v2/demo/purge-queue' },
  { path: '/v2/demo/stream/x' },
  { path: '/v2/demo/job-take/w1' },
  { method: 'POST', path: '/v2/demo/job-done/w1/x', body: '{"output":1}' },
  { method: 'POST', path: '/v2/demo/openai/v1/completions', body: '{}' },
  { method: 'POST', path: '/v2/demo/batch', body: '[]' },
  { path: '/__emulator/state' },
  { path: '/__emulator/jobs' },
  { method: 'POST', path: '/__emulator/faults', body: '[{"fault":"no-workers"}]' },
  { method: 'OPTIONS', path: '/v2/demo/run' },
  { path: '/' },
  { path: '/__emulator/dashboard/page.js' },
  { path: '/__emulator/dashboard/events' },
  { path: '/__emulator/dashboard/v2/events' },
  { method: 'POST', path: '/__emulator/dashboard/v2/demo/run', body: job },
  { path: '/anything' },
];

/** Other spellings of paths that must lead to the same check. */
const tricks = [
  '/v2/../__emulator/faults',
  '/v2/../__emulator/dashboard/v2/demo/run',
  '/__emulator/dashboard/../faults',
  '/v2/%2e%2e/__emulator/faults',
  '/v2/%2E./__emulator/faults',
  '/v2/demo/../../__emulator/faults',
  '//__emulator/faults',
  '/./__emulator/faults',
  '/v2\\..\\__emulator\\faults',
  '/__EMULATOR/faults',
  '/%5f%5femulator/faults',
  '/v2/demo/%72un',
  '/v2//demo/run',
  '/V2/demo/run',
  'http://localhost/__emulator/faults',
  'HTTP://LOCALHOST/v2/demo/run',
];

describe('a page of another origin', () => {
  test.each(routes)('is refused by $method $path before anything happens', async (route) => {
    const emulator = await start();
    const { status, text } = await send(emulator, { ...route, headers: simple });
    expect([status, text]).toEqual([403, expect.stringMatching(/https:\/\/evil\.example.*--cors/)]);
    expect([emulator.jobs(), emulator.requests(), emulator.faults.list()]).toEqual([[], [], []]);
  });

  test.each(tricks)('is refused at %s', async (path) => {
    const emulator = await start();
    const { status } = await send(emulator, { method: 'POST', path, headers: simple, body: '[{"fault":"answer"}]' });
    expect(status).toBe(403);
    expect([emulator.jobs(), emulator.faults.list()]).toEqual([[], []]);
  });

  test.each([
    ['that hides its origin', { origin: 'null' }],
    ['on another port of this machine', { origin: 'http://localhost:3000' }],
    ['that loads an image', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }],
    ['of another subdomain that loads an image', { 'sec-fetch-site': 'same-site' }],
    ['that says it is of the same origin', { ...evil, 'sec-fetch-site': 'same-origin' }],
  ])('%s is refused', async (_, headers) => {
    const emulator = await start();
    expect(await send(emulator, { headers })).toMatchObject({ status: 403 });
    expect(await send(emulator, { path: '/__emulator/jobs', headers })).toMatchObject({ status: 403 });
  });

  test.each([
    ['every origin', true, { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }],
    ['every origin, also of images', true, { 'sec-fetch-site': 'cross-site' }],
    ['its origin', 'http://localhost:4200', { origin: 'http://localhost:4200', 'sec-fetch-site': 'same-site' }],
    ['its origin in a list', ['https://a.example', 'https://b.example'], { origin: 'https://b.example' }],
  ])('is let in where `cors` names %s', async (_, cors, headers) => {
    const emulator = await start({ cors });
    const sent = { method: 'POST', path: '/v2/demo/runsync', headers, body: job };
    expect(await send(emulator, sent)).toMatchObject({ status: 200 });
  });

  test('is refused where `cors` names another origin', async () => {
    const emulator = await start({ cors: 'http://localhost:4200' });
    expect(await send(emulator, { ...routes[0], headers: simple })).toMatchObject({ status: 403 });
    expect(emulator.jobs()).toEqual([]);
  });
});

describe('who is let in', () => {
  test.each<[string, Record<string, string>]>([
    ['a program without an origin', {}],
    ['a program that names no site', { 'sec-fetch-mode': 'cors' }],
    ['an address typed into a browser', { 'sec-fetch-site': 'none' }],
    [
      'a page behind the proxy of a development server',
      { origin: 'http://localhost:4200', 'sec-fetch-site': 'same-origin' },
    ],
  ])('%s', async (_, headers) => {
    const emulator = await start();
    const sent = { method: 'POST', path: '/v2/demo/runsync', headers, body: job };
    expect(await send(emulator, sent)).toMatchObject({ status: 200 });
    expect(await send(emulator, { path: '/__emulator/state', headers })).toMatchObject({ status: 200 });
  });

  test('a page that the proxy of a development server passes on under its own name', async () => {
    const emulator = await start();
    const headers = { host: 'localhost:4200', origin: 'http://localhost:4200' };
    expect(await send(emulator, { headers })).toMatchObject({ status: 200 });
  });
});

describe('the name that a request is addressed to', () => {
  const status = async (options: Partial<EmulatorOptions>, host: string) =>
    (await send(await start(options), { path: '/__emulator/jobs', headers: { host } })).status;

  test.each([
    'localhost',
    'LOCALHOST:80',
    'localhost.',
    'app.localhost:8008',
    '127.0.0.1',
    '127.8.9.10:1',
    '[::1]',
    '[::1]:8008',
    '[::ffff:127.0.0.1]',
  ])('%s is this machine', async (host) => {
    expect(await status({}, host)).toBe(200);
  });

  test.each([
    'evil.example',
    'evil.example:8008',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    'evil.example@127.0.0.1',
    '127.0.0.1/evil.example',
    'notlocalhost',
    'emulator',
    '10.0.0.1',
    '0.0.0.0',
    '[::]',
    '[fe80::1]',
    'host.docker.internal',
  ])('%j is refused', async (host) => {
    expect(await status({}, host)).toBe(403);
  });

  test.each(['evil.example', 'evil.example:8008', 'host.docker.internal', 'my-machine.evil.example'])(
    '%s is refused on all addresses, too',
    async (host) => {
      expect(await status({ host: '0.0.0.0' }, host)).toBe(403);
    },
  );

  test.each([
    '127.0.0.1',
    'localhost',
    '192.168.1.7:8008',
    '172.17.0.2',
    '[fd00::5]:8008',
    'emulator:8008',
    'emulator',
  ])('%s leads to a server that is bound to all addresses', async (host) => {
    expect(await status({ host: '0.0.0.0' }, host)).toBe(200);
  });

  test('may be named', async () => {
    expect(await status({ hosts: ['Host.docker.internal'] }, 'host.docker.internal:8008')).toBe(200);
    expect(await status({ hosts: ['host.docker.internal'] }, 'evil.example')).toBe(403);
    expect(await status({ hosts: true }, 'evil.example')).toBe(200);
  });

  test.each(['/', '/__emulator/dashboard/page.js', '/__emulator/dashboard/events', '/__emulator/dashboard/v2/events'])(
    'is checked for the dashboard, too: %s',
    async (path) => {
      const headers = { host: 'evil.example', accept: 'text/html' };
      expect(await send(await start(), { path, headers })).toMatchObject({ status: 403 });
    },
  );

  test('is checked where the request target is an address of its own', async () => {
    const emulator = await start();
    expect(await send(emulator, { path: 'http://evil.example/v2/demo/health' })).toMatchObject({ status: 403 });
    expect(await send(emulator, { path: 'http://127.0.0.1/v2/demo/health' })).toMatchObject({ status: 200 });
  });

  test('says in its answer what would let it in', async () => {
    const { text } = await send(await start(), { headers: { host: 'evil.example' } });
    expect(text).toBe(
      'the host "evil.example" is not a name of this emulator. The option hosts (--allow-host) names further hosts.\n',
    );
  });
});

test('no request target passes the check of an origin, whatever its spelling', async () => {
  const emulator = await start();
  const piece = fc.constantFrom(
    '/',
    '//',
    '.',
    '..',
    '%2e',
    '%2E%2e',
    '\\',
    '%2f',
    '%5c',
    ';',
    '?',
    'v2',
    'V2',
    'demo',
    'run',
    '__emulator',
    'faults',
    '%5f%5femulator',
    'http://localhost',
  );
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 8 }), async (pieces) => {
      const path = `/${pieces.join('')}`;
      const { status } = await send(emulator, { method: 'POST', path, headers: simple, body: '[{"fault":"answer"}]' });
      expect(status).toBe(403);
      expect([emulator.jobs(), emulator.faults.list()]).toEqual([[], []]);
    }),
    { seed, numRuns: 200 },
  );
});

test.each(['*', 'http://', 'x', 'http://[/v2/demo/health'])(
  'a request target that is none, %s, is not found',
  async (target) => {
    const { port, baseUrl } = await start();
    const said = await new Promise<string>((resolve) => {
      let text = '';
      const socket = connect(port, '127.0.0.1', () =>
        socket.write(`OPTIONS ${target} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n`),
      );
      socket.on('data', (data) => (text += data.toString())).on('close', () => resolve(text));
    });
    expect(said).toMatch(/^HTTP\/1\.1 40[04] /);
    expect((await fetch(`${baseUrl}/demo/health`)).status).toBe(200);
  },
);

const hasIpv6 = Object.values(networkInterfaces()).some((found) => found?.some(({ address }) => address === '::1'));

describe('the address of a server', () => {
  test.each([
    ['0.0.0.0', '127.0.0.1'],
    ['localhost', 'localhost'],
    ['127.0.0.1', '127.0.0.1'],
    ...(hasIpv6
      ? [
          ['::1', '[::1]'],
          ['[::1]', '[::1]'],
          ['::', '[::1]'],
        ]
      : []),
  ])('that is bound to %s leads to it', async (host, name) => {
    const { url, baseUrl, port } = await start({ host });
    expect([url, baseUrl]).toEqual([`http://${name}:${port}`, `http://${name}:${port}/v2`]);
    expect((await fetch(`${baseUrl}/demo/health`)).status).toBe(200);
  });
});

test.each([
  ['a header', { headers: { 'bad name': 'x' } }],
  ['the text of a header', { headers: { x: 'a\nb' } }],
  ['a status', { status: 99 }],
])('an answer that HTTP cannot carry for %s becomes a 500, and the emulator goes on', async (_, wrong) => {
  const { baseUrl } = await start({
    intercept: (request, next) =>
      request.url.endsWith('/wrong') ? of({ status: 200, headers: {}, text: '', ...wrong }) : next(request),
  });
  const answer = await fetch(`${baseUrl}/demo/wrong`);
  expect([answer.status, await answer.text()]).toEqual([500, expect.stringMatching(/could not send/)]);
  expect((await fetch(`${baseUrl}/demo/health`)).status).toBe(200);
});

const [outside] = Object.values(networkInterfaces())
  .flat()
  .filter((found) => found?.family === 'IPv4' && !found.internal);

describe.runIf(outside)('with keys, the control routes', () => {
  test('need one of them where the request comes from another address than this machine calls itself', async () => {
    const { port } = await start({ host: '0.0.0.0', keys: ['secret', { key: 'some', endpoints: [] }] });
    const ask = async (host: string, authorization = '') =>
      (await fetch(`http://${host}:${port}/__emulator/jobs`, { headers: { authorization } })).status;
    const address = outside?.address ?? '';
    expect(await ask('127.0.0.1')).toBe(200);
    expect([await ask(address), await ask(address, 'Bearer wrong')]).toEqual([401, 401]);
    expect([await ask(address, 'Bearer secret'), await ask(address, 'some')]).toEqual([200, 200]);
  });
});
