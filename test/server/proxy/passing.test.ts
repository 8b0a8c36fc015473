import { Subject, firstValueFrom, lastValueFrom, toArray } from 'rxjs';
import { expect, test } from 'vitest';
import { createRunpod, vouchedNotice } from 'runpod-rx';
import { createProxy } from 'runpod-rx/server';
import { BASE, KEY, pageTransport, proxied, service } from './support.js';

const JOB = '{"id":"job-1","status":"IN_QUEUE"}';

/** Answers a submission, and then any other request by a table. */
function answering(table: Record<string, { status?: number; headers?: Record<string, string>; text: string }>) {
  return service((_, line) => table[line] ?? (line === 'POST /demo/run' ? { text: JOB } : { status: 500, text: '{}' }));
}

const UNCHANGED = [
  ['POST demo/run', 'POST /demo/run', { body: { input: { a: 1 } } }],
  ['GET demo/status/job-1', 'GET /demo/status/job-1', {}],
  ['GET demo/stream/job-1?wait=2000', 'GET /demo/stream/job-1?wait=2000', {}],
  ['POST demo/cancel/job-1', 'POST /demo/cancel/job-1', {}],
  ['POST demo/retry/job-1', 'POST /demo/retry/job-1', {}],
  ['GET demo/health', 'GET /demo/health', {}],
] as const;

test.each(UNCHANGED)('%s is answered as the service answers', async (line, upstream, options) => {
  const text = line.includes('health')
    ? '{"jobs":{"completed":1},"workers":{"idle":1}}'
    : line.includes('stream')
      ? '{"status":"IN_PROGRESS","stream":[{"output":12345678901234567890}]}'
      : '{ "id":"job-1", "status":"IN_PROGRESS", "output":12345678901234567890 }';
  const { transport } = answering({ [upstream]: { text, headers: { 'x-request-id': 'r-1', 'set-cookie': 'a=b' } } });
  const { ask } = proxied(transport);
  if (line !== 'POST demo/run') await ask('POST demo/run', { body: { input: { a: 1 } } });
  const answer = await ask(line, options);
  expect(answer.status).toBe(200);
  expect(await answer.text()).toBe(text);
  expect(answer.headers.get('content-type')).toBe('application/json');
  expect(answer.headers.get('cache-control')).toBe('no-store');
  expect(answer.headers.get('set-cookie')).toBeNull();
  // The reads of a job are shared, so the headers of one answer are no page's.
  if (!line.includes('status')) expect(answer.headers.get('x-request-id')).toBe('r-1');
});

test('no header of an answer has a server in front send something else', async () => {
  const obeyed = { 'x-accel-redirect': '/private', 'x-sendfile': '/etc/passwd', 'x-reproxy-url': 'http://10.0.0.1/' };
  const { transport } = answering({
    'GET /demo/health': { text: '{}', headers: { ...obeyed, 'x-request-id': 'r-1' } },
  });
  const { headers } = await proxied(transport).ask('GET demo/health');
  expect(headers.get('x-request-id')).toBe('r-1');
  for (const name of Object.keys(obeyed)) expect(headers.get(name)).toBeNull();
});

test.each([
  [400, '{"error":"bad input"}'],
  [401, '{"error":"unauthorized"}'],
  [402, '{"error":"no credit left"}'],
  [413, 'too large'],
  [500, '{"error":"oops"}'],
])('a %i of a submission is passed on', async (status, text) => {
  const { transport, lines } = answering({ 'POST /demo/run': { status, text } });
  const { ask } = proxied(transport);
  const answer = await ask('POST demo/run', { body: { input: { a: 1 } } });
  expect(answer.status).toBe(status);
  expect(await answer.text()).toBe(text);
  expect(lines()).toEqual(['POST /demo/run']);
});

test('a read that a page holds is answered when the job is over, whatever the service holds', async () => {
  const world = service((_, line) => (line === 'POST /demo/run' ? { text: JOB } : undefined));
  const { ask } = proxied(world.transport);
  await ask('POST demo/run', { body: { input: { a: 1 } } });
  const answer = ask('GET demo/status-sync/job-1?wait=60000');
  const other = ask('GET demo/status-sync/job-1?wait=60000');
  const read = await world.next(/status/);
  read.answer({ text: '{"id":"job-1","status":"COMPLETED","output":[1]}' });
  expect(await (await answer).text()).toBe('{"id":"job-1","status":"COMPLETED","output":[1]}');
  expect(await (await other).text()).toBe('{"id":"job-1","status":"COMPLETED","output":[1]}');
  // The end is known from now on.
  expect(await (await ask('GET demo/status/job-1')).text()).toContain('COMPLETED');
  expect(world.lines()).toEqual(['POST /demo/run', 'GET /demo/status/job-1']);
});

test('/runsync is a submission and a held read', async () => {
  const world = service((_, line) =>
    line === 'POST /demo/run' ? { text: JOB } : { text: '{"id":"job-1","status":"COMPLETED","output":"done"}' },
  );
  const { ask } = proxied(world.transport);
  const answer = await ask('POST demo/runsync?wait=5000', { body: { input: { a: 1 } } });
  expect(await answer.json()).toEqual({ id: 'job-1', status: 'COMPLETED', output: 'done' });
});

test('S28 only the input is passed on; the policy, the webhook and the rest are the server’s', async () => {
  const world = answering({});
  const { ask } = proxied(world.transport, {
    demo: {
      policy: { ttl: 60_000 },
      input: (input, user) => Promise.resolve({ ...input, user }),
      request: (request) => ({ ...request, webhook: 'https://hooks.example/?token=secret-token' }),
    },
  });
  await ask('POST demo/run', {
    body: { input: { a: 1 }, webhook: 'http://169.254.169.254/', policy: { ttl: 1 }, s3Config: {}, x: 1 },
  });
  expect(JSON.parse(world.asked[0]!.request.body!)).toEqual({
    input: { a: 1, user: 'ann' },
    policy: { ttl: 60_000 },
    webhook: 'https://hooks.example/?token=secret-token',
  });
  expect(world.asked[0]!.request.headers.authorization).toBe(`Bearer ${KEY}`);
});

test('no answer has the webhook of the job, wherever the service says it', async () => {
  const webhook = 'https://hooks.example/?token=secret-token';
  const world = service((_, line) =>
    line === 'POST /demo/run'
      ? { text: JSON.stringify({ id: 'job-1', status: 'IN_QUEUE', webhook }) }
      : { text: JSON.stringify({ id: 'job-1', status: 'IN_PROGRESS', input: { a: 1 }, webhook }) },
  );
  const { ask } = proxied(world.transport, { demo: { request: (request) => ({ ...request, webhook }) } });
  const submitted = await (await ask('POST demo/run', { body: { input: { a: 1 } } })).text();
  const read = await (await ask('GET demo/status/job-1')).text();
  expect(submitted + read).not.toContain('secret-token');
  expect(JSON.parse(read)).toEqual({ id: 'job-1', status: 'IN_PROGRESS', input: { a: 1 } });

  const refusing = answering({ 'POST /demo/run': { status: 400, text: `{"error":"bad webhook ${webhook}"}` } });
  const other = proxied(refusing.transport, { demo: { request: (request) => ({ ...request, webhook }) } });
  expect(await (await other.ask('POST demo/run', { body: { input: { a: 1 } } })).text()).not.toContain('secret-token');
});

test.each([
  ['as Go does', (text: string) => text.replaceAll('&', '\\u0026')],
  ['as PHP does', (text: string) => text.replaceAll('/', '\\/')],
])(
  'S28 no answer has the webhook of the job, also where the service writes it with escapes, %s',
  async (_, escaped) => {
    const webhook = 'https://hooks.example/runpod?key=order-1&token=secret-token';
    const text = escaped(JSON.stringify({ error: `bad webhook ${webhook}` }));
    const { transport } = answering({ 'POST /demo/run': { status: 400, text } });
    const { ask } = proxied(transport, { demo: { request: (request) => ({ ...request, webhook }) } });
    const answer = await ask('POST demo/run', { body: { input: { a: 1 } } });
    expect([answer.status, await answer.json()]).toEqual([400, { error: 'bad webhook ***' }]);
  },
);

test('an answer without the webhook of the job has its numbers as the service wrote them', async () => {
  const job = '{"id":"job-1","status":"IN_PROGRESS","output":12345678901234567890';
  const { transport } = answering({ 'GET /demo/status/job-1': { text: `${job},"webhook":"https://hooks.example/"}` } });
  const { ask } = proxied(transport);
  await ask('POST demo/run', { body: { input: { a: 1 } } });
  expect(await (await ask('GET demo/status/job-1')).text()).toBe(`${job}}`);
});

test('no answer has the key, wherever the service says it', async () => {
  const { transport } = answering({ 'POST /demo/run': { status: 400, text: `{"error":"the key ${KEY} is wrong"}` } });
  const { ask } = proxied(transport);
  expect(await (await ask('POST demo/run', { body: { input: { a: 1 } } })).text()).not.toContain(KEY);
});

test('a page has the end of its job by the library’s own client', async () => {
  const world = service((_, line) =>
    line === 'POST /demo/run' ? { text: JOB } : { text: '{"id":"job-1","status":"COMPLETED","output":"done"}' },
  );
  const { handler } = proxied(world.transport);
  const page = createRunpod({ transport: pageTransport(handler), baseUrl: BASE });
  const states = await lastValueFrom(
    page
      .endpoint('demo')
      .runToEnd({ input: { a: 1 } })
      .pipe(toArray()),
  );
  expect(states.map(({ status }) => status)).toEqual(['IN_QUEUE', 'COMPLETED']);
});

test('numbers that JavaScript cannot hold are passed on also of an end that a webhook has told', async () => {
  const notices = new Subject();
  const world = service((_, line) => (line === 'POST /demo/run' ? { text: JOB } : undefined));
  const { ask } = proxied(world.transport, { client: { notices } });
  await ask('POST demo/run', { body: { input: { a: 1 } } });
  const answer = ask('GET demo/status-sync/job-1?wait=60000');
  await world.next(/status/);
  notices.next(vouchedNotice({ id: 'job-1', status: 'COMPLETED', output: [-12345678901234567890n, '1'] }));
  expect(await (await answer).text()).toBe('{"id":"job-1","status":"COMPLETED","output":[-12345678901234567890,"1"]}');
});

test('a proxy leaves the parser of an endpoint to the server’s own code, and passes on the texts', async () => {
  const text = '{"id":"job-1","status":"COMPLETED","output":12345678901234567890}';
  const { transport } = service(() => ({ text }));
  const client = createRunpod({ apiKey: KEY, transport, limits: false });
  const parse = () => ({ id: 'job-1', status: 'COMPLETED', output: 12345678901234567890n });
  const endpoint = client.endpoint('demo', { parse });
  const endpoints = { demo: { operations: ['status'] } } as const;
  const proxy = createProxy({ client, endpoints, user: () => 'ann', owners: { set: () => 1, get: () => 'ann' } });
  expect(await (await proxy(new Request(`${BASE}/demo/status/job-1`))).text()).toBe(text);
  expect(await firstValueFrom(endpoint.status('job-1'))).toMatchObject({ output: 12345678901234567890n });
});

test('two proxies over one client both pass on numbers that JavaScript cannot hold', async () => {
  const text = '{"id":"job-1","status":"IN_PROGRESS","output":12345678901234567890}';
  const { client } = proxied(service(() => ({ text })).transport);
  const endpoints = { demo: { operations: ['status'] } } as const;
  const made = () => createProxy({ client, endpoints, user: () => 'ann', owners: { set: () => 1, get: () => 'ann' } });
  const proxies = [made(), made()];
  // Not one parser around another for each: a proxy may be made for every request.
  const { parse } = client.endpoint('demo');
  made();
  expect(client.endpoint('demo').parse).toBe(parse);
  for (const proxy of proxies) expect(await (await proxy(new Request(`${BASE}/demo/status/job-1`))).text()).toBe(text);
});
