import { EMPTY, config, firstValueFrom, throwError } from 'rxjs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createRunpod } from 'runpod-rx';
import { BASE, pageTransport, proxied, service } from './support.js';

const submission = { body: { input: { a: 1 } } };
const queued = { json: { id: 'job-1', status: 'IN_QUEUE' } };
const owners = { set: () => undefined, get: () => 'ann' };
const mistake = new Error('words of the server alone');

let reported: unknown[] = [];
beforeEach(() => {
  reported = [];
  config.onUnhandledError = (error) => reported.push(error);
});
afterEach(() => {
  config.onUnhandledError = null;
});

test('a store whose Observable only writes has kept the owner', async () => {
  const world = service(() => queued);
  const { ask, client } = proxied(world.transport, { owners: { set: () => EMPTY, get: () => EMPTY } });
  expect((await ask('POST demo/run', submission)).status).toBe(200);
  expect((await ask('GET demo/status/job-1')).status).toBe(404);
  await firstValueFrom(client.settled());
  expect(world.lines()).toEqual(['POST /demo/run']);
});

test.each([
  ['GET demo/status/job-1', 503],
  ['GET demo/status-sync/job-1', 503],
  ['GET demo/stream/job-1', 503],
  ['POST demo/cancel/job-1', 503],
  ['POST demo/retry/job-1', 424],
])(
  'where the store does not tell the owner, nothing is sent for %s, and the page is told so: %i',
  async (line, status) => {
    const world = service(() => queued);
    const { ask } = proxied(world.transport, { owners: { ...owners, get: () => throwError(() => mistake) } });
    const answer = await ask(line);
    expect(answer.status).toBe(status);
    expect(await answer.text()).not.toContain(mistake.message);
    expect(world.lines()).toEqual([]);
    await expect.poll(() => reported).toEqual([mistake]);
  },
);

test('a link of the server’s that fails before a job is sent has the page know that it was not', async () => {
  const world = service(() => queued);
  const { ask } = proxied(world.transport, { client: { links: [() => throwError(() => mistake)] } });
  const answer = await ask('POST demo/run', submission);
  expect([answer.status, await answer.json()]).toEqual([424, { error: 'the job was not sent' }]);
  await expect.poll(() => reported).toEqual([mistake]);
});

test.each([undefined, null, 'text'])('a function that makes %s of a request has it refused', async (made) => {
  const world = service(() => queued);
  const { ask } = proxied(world.transport, { demo: { request: () => made as never } });
  const answer = await ask('POST demo/run', submission);
  expect([answer.status, await answer.json()]).toEqual([400, { error: 'the request was refused' }]);
  expect(world.lines()).toEqual([]);
  await expect.poll(() => reported).toHaveLength(1);
});

test.each([
  ['a header beyond Latin-1', { 'x-note': '✓', 'x-fine': 'yes' }],
  ['a header with a line break', { 'x-note': 'a\nb', 'x-fine': 'yes' }],
  ['a name that is none', { 'x-ü': 'a', 'x-fine': 'yes' }],
])('%s does not keep an answer from the page', async (_, headers) => {
  const world = service(() => ({ ...queued, headers }));
  const { ask } = proxied(world.transport);
  const answer = await ask('POST demo/run', submission);
  expect([answer.status, answer.headers.get('x-fine'), answer.headers.get('x-note')]).toEqual([200, 'yes', null]);
  expect(world.lines()).toEqual(['POST /demo/run']);
});

test.each([101, 304, 600, 999])(
  'a status that cannot be passed on, %i, leaves open what became of the job',
  async (status) => {
    const world = service(() => ({ status, text: '' }));
    const { ask } = proxied(world.transport);
    const answer = await ask('POST demo/run', submission);
    expect([answer.status, await answer.json()]).toEqual([502, { error: `the service answered ${status}` }]);
  },
);

test.each(['sync-0a.b', 'job:1', 'a~b@c=+', 'x'.repeat(500)])(
  'a job is reached by whatever id it has: %s',
  async (id) => {
    const world = service((request) => {
      if (request.operation === 'run') return { json: { id, status: 'IN_QUEUE' } };
      expect(decodeURIComponent(request.url)).toContain(`/${id}`);
      return request.operation.startsWith('stream')
        ? { json: { status: 'COMPLETED', stream: [] } }
        : { json: { id, status: 'COMPLETED', output: 1 } };
    });
    const { handler } = proxied(world.transport);
    const page = createRunpod({ transport: pageTransport(handler), baseUrl: BASE }).endpoint('demo');
    expect((await firstValueFrom(page.run({ input: { a: 1 } }))).id).toBe(id);
    expect(await firstValueFrom(page.status(id))).toMatchObject({ id, status: 'COMPLETED' });
    expect(await firstValueFrom(page.cancel(id))).toMatchObject({ id });
    expect(await firstValueFrom(page.request(`stream/${encodeURIComponent(id)}`))).toMatchObject({ status: 200 });
  },
);

test.each(['%2e%2e', '..%2fhealth', 'a%2Fb', '%', 'a%00b', 'a%20b', 'x'.repeat(501)])('%s is no id', async (id) => {
  const world = service(() => queued);
  const { ask } = proxied(world.transport, { owners });
  expect((await ask(`GET demo/status/${id}`)).status).toBe(404);
  expect(world.lines()).toEqual([]);
});

test('a page has the service hold the reads of a stream for less than the client’s own patience', async () => {
  const world = service(() => ({ json: { status: 'IN_PROGRESS', stream: [] } }));
  const { ask } = proxied(world.transport, { owners });
  for (const query of ['', '?wait=5000', '?wait=300000', '?wait=x&wait=1']) await ask(`GET demo/stream/job-1${query}`);
  const asked = ['', '?wait=5000', '?wait=20000', '?wait=20000'];
  expect(world.lines()).toEqual(asked.map((query) => `GET /demo/stream/job-1${query}`));
});
