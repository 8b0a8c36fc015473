import { expect, test } from 'vitest';
import { headersOf, proxied, service, type AskOptions } from './support.js';

const JOB = '{"id":"job-1","status":"IN_QUEUE"}';
const upstream = () =>
  service((_, line) => (line.includes('health') ? { text: '{"jobs":{},"workers":{}}' } : { text: JOB }));

/** Every route that costs or tells something. */
const ROUTES = [
  ['POST demo/run', { body: { input: { a: 1 } } }],
  ['POST demo/runsync', { body: { input: { a: 1 } } }],
  ['GET demo/status/job-1', {}],
  ['GET demo/status-sync/job-1', {}],
  ['GET demo/stream/job-1', {}],
  ['POST demo/cancel/job-1', {}],
  ['POST demo/retry/job-1', {}],
  ['GET demo/health', {}],
] as const;

const FOREIGN: readonly [string, Record<string, string>][] = [
  ['a foreign origin', { origin: 'https://evil.example' }],
  ['no origin at all', { origin: 'null' }],
  ['the origin of another port', { origin: 'https://app.example:8443' }],
  ['the request of a page of another site', { 'sec-fetch-site': 'cross-site' }],
  ['an address that is opened, as from a mail', { 'sec-fetch-site': 'none' }],
  ['the request of a page of a sister site', { 'sec-fetch-site': 'same-site', origin: 'https://blog.app.example' }],
];

test.each(FOREIGN.flatMap(([who, headers]) => ROUTES.map(([line, options]) => [who, line, headers, options] as const)))(
  'S28 %s is refused %s, also as plain text and with cookies',
  async (_, line, headers, options: AskOptions) => {
    const { transport, lines } = upstream();
    const { ask } = proxied(transport);
    await ask('POST demo/run', { body: { input: { a: 1 } } });
    const variants: Record<string, string>[] = [{}, { 'content-type': 'text/plain' }, { cookie: 'session=ann' }];
    for (const more of variants) {
      const answer = await ask(line, { ...options, headers: { ...headers, ...more } });
      expect(answer.status).toBe(403);
      expect(answer.headers.get('access-control-allow-origin')).toBeNull();
    }
    expect(lines()).toEqual(['POST /demo/run']);
  },
);

test.each<[string, Record<string, string>]>([
  ['its own pages', { origin: 'https://app.example' }],
  [
    'its own pages, before a proxy that changes the host',
    { origin: 'https://www.example', 'sec-fetch-site': 'same-origin' },
  ],
  ['a program', {}],
])('%s may call', async (_, headers) => {
  const { ask } = proxied(upstream().transport);
  expect((await ask('POST demo/run', { body: { input: { a: 1 } }, headers })).status).toBe(200);
});

test('pages of a named origin may call, and read the answer', async () => {
  const { ask } = proxied(upstream().transport, { origins: ['https://spa.example'] });
  const headers = { origin: 'https://spa.example', 'sec-fetch-site': 'cross-site' };
  const preflight = await ask('OPTIONS demo/run', {
    headers: {
      ...headers,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'content-type,x-user',
    },
  });
  expect(preflight.status).toBe(204);
  expect(headersOf(preflight)).toMatchObject({
    'access-control-allow-origin': 'https://spa.example',
    'access-control-allow-credentials': 'true',
    'access-control-allow-headers': 'content-type,x-user',
  });
  const answer = await ask('POST demo/run', { body: { input: { a: 1 } }, headers });
  expect(answer.status).toBe(200);
  expect(answer.headers.get('access-control-allow-origin')).toBe('https://spa.example');
  const other = await ask('POST demo/run', { body: { input: { a: 1 } }, headers: { origin: 'https://evil.example' } });
  expect([other.status, other.headers.get('access-control-allow-origin')]).toEqual([403, null]);
});

test.each(ROUTES.filter(([line]) => line.includes('job-1')))(
  'S28 %s of another user’s job is answered as if there were no such job',
  async (line, options) => {
    const { transport, lines } = upstream();
    const { ask } = proxied(transport);
    await ask('POST demo/run', { body: { input: { a: 1 } } });
    const ids = ['job-1', 'job-2', '__proto__', 'constructor', 'toString', 'a'.repeat(200)];
    for (const id of ids) {
      const answer = await ask(line.replace('job-1', id), { ...options, user: 'bob' });
      expect(answer.status).toBe(404);
      expect(await answer.json()).toEqual({ error: 'job not found' });
    }
    expect(lines()).toEqual(['POST /demo/run']);
  },
);

test.each(ROUTES)('%s without a user is 401', async (line, options) => {
  const { transport, lines } = upstream();
  const { ask } = proxied(transport);
  expect((await ask(line, { ...options, user: null })).status).toBe(401);
  expect((await ask(line, { ...options, user: '' })).status).toBe(401);
  expect(lines()).toEqual([]);
});

test.each([
  [
    'throws',
    () => {
      throw new Error('no session: token=abc');
    },
  ],
  ['rejects', () => Promise.reject(new Error('no session: token=abc'))],
  ['gives no name', () => 7 as never],
])('a function user that %s lets nobody in', async (_, user: () => Promise<never>) => {
  const { ask } = proxied(upstream().transport, { user });
  const answer = await ask('POST demo/run', { body: { input: { a: 1 } } });
  expect(answer.status).toBe(401);
  expect(await answer.text()).not.toContain('abc');
});

const NOWHERE = [
  'POST other/run',
  'POST demo/purge-queue',
  'GET demo/requests',
  'POST __proto__/run',
  'POST constructor/run',
  'POST toString/run',
  'POST demo/__proto__',
  'POST demo/constructor/job-1',
  'GET demo/status',
  'GET demo/status/',
  'GET demo/status/a/b',
  'GET demo//status/job-1',
  'GET /demo/status/job-1',
  'POST demo/run/',
  'POST demo/run/job-1',
  'GET demo',
  'GET ',
  'GET demo/openai/v1/models',
  'GET demo/status/job%2d1',
  'GET demo/status/%2e%2e',
  'GET demo/status/..%2fhealth',
  'GET demo/status/..',
  'GET ../../demo/health',
  'GET %2e%2e/demo/health',
  'GET demo/status/job-1%00',
  'GET demo%2fhealth',
  'POST demo/run;x=1',
  `GET demo/status/${'a'.repeat(5_000)}`,
  'GET demo/status/job 1',
];

test.each(NOWHERE)('there is nothing at %s', async (line) => {
  const { transport, lines } = upstream();
  const { ask } = proxied(transport);
  const answer = await ask(line, line.startsWith('POST') ? { body: { input: { a: 1 } } } : {});
  expect(answer.status).toBe(404);
  expect(lines()).toEqual([]);
});

test('an operation that is not listed does not exist', async () => {
  const { transport, lines } = upstream();
  const { ask } = proxied(transport, { demo: { operations: ['run', 'status'] } });
  await ask('POST demo/run', { body: { input: { a: 1 } } });
  for (const line of [
    'GET demo/stream/job-1',
    'POST demo/cancel/job-1',
    'POST demo/retry/job-1',
    'GET demo/health',
    'POST demo/runsync',
  ])
    expect((await ask(line)).status).toBe(404);
  expect(lines()).toEqual(['POST /demo/run']);
});

test.each(['PUT', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD', 'GET', 'PROPFIND'])(
  '%s of a submission is 405',
  async (method) => {
    const { ask } = proxied(upstream().transport);
    const answer = await ask(`${method} demo/run`);
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST']);
  },
);

const BODIES: readonly [string, unknown, number, Record<string, string>?][] = [
  ['no body', undefined, 415],
  ['an empty body', '', 400],
  ['no JSON', '{"input":', 400],
  ['an array', '[]', 400],
  ['null', 'null', 400],
  ['no input', '{}', 400],
  ['an input that is no object', '{"input":[1]}', 400],
  ['an input that is text', '{"input":"x"}', 400],
  ['an empty input', '{"input":{}}', 400],
  ['an input under __proto__', '{"__proto__":{"input":{"a":1}}}', 400],
  ['2 MiB', JSON.stringify({ input: { a: 'x'.repeat(2 ** 21) } }), 413],
  ['20,000 levels', `{"input":${'{"a":'.repeat(20_000)}1${'}'.repeat(20_001)}`, 400],
  ['a form', 'input=1', 415, { 'content-type': 'application/x-www-form-urlencoded' }],
  ['plain text', '{"input":{"a":1}}', 415, { 'content-type': 'text/plain' }],
  ['a compressed body', '{"input":{"a":1}}', 415, { 'content-encoding': 'gzip' }],
];

test.each(BODIES)('a submission with %s is refused, and nothing is sent', async (_, body, status, headers = {}) => {
  const { transport, lines } = upstream();
  const { ask } = proxied(transport);
  const answer = await ask('POST demo/run', { body, headers });
  expect(await answer.json()).toEqual({ error: expect.any(String) });
  expect(answer.status).toBe(status);
  expect(lines()).toEqual([]);
});

test('__proto__ in an input is a name like any other', async () => {
  const world = upstream();
  const { ask } = proxied(world.transport);
  expect((await ask('POST demo/run', { body: '{"input":{"__proto__":{"x":1},"a":1}}' })).status).toBeLessThan(500);
  expect(({} as { x?: number }).x).toBeUndefined();
});

test.each([
  ['/gpu/demo/run', '/api/runpod'],
  ['/demo/run', '/api/runpod'],
  ['/api/runpod', '/api/runpod'],
  ['/api/runpod/demo/run', '/v1/api/runpod'],
])('a path that is not below the base path is told of it: %s', async (path, basePath) => {
  const { handler } = proxied(upstream().transport, { basePath });
  const answer = await handler(new Request(`https://app.example${path}`, { method: 'POST' }));
  expect([answer.status, await answer.json()]).toEqual([
    404,
    { error: `there is nothing at this address: the proxy answers below its basePath, which is ${basePath}` },
  ]);
});

test('a path below the base path is only told that there is nothing', async () => {
  const { ask } = proxied(upstream().transport);
  const answer = await ask('POST other/run', { body: { input: { a: 1 } } });
  expect([answer.status, await answer.json()]).toEqual([404, { error: 'there is nothing at this address' }]);
});
