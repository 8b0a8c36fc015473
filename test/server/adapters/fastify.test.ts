import { PassThrough, Transform } from 'node:stream';
import { text } from 'node:stream/consumers';
import fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify';
import { describe, expect, test } from 'vitest';
import { toFastify, type Handler } from 'runpod-rx/server';
import { deferred, echo, type Echo } from './handlers.js';
import { listen, type Listening } from './hosts.js';
import { RawClient } from './RawClient.js';

const prefix = '/api/runpod';

async function start(
  handler: Handler,
  {
    prepare = () => undefined,
    ...options
  }: FastifyServerOptions & { prepare?: (app: FastifyInstance) => unknown } = {},
): Promise<Listening & { app: FastifyInstance }> {
  const app = fastify(options);
  prepare(app);
  await app.register(toFastify(handler), { prefix });
  await app.ready();
  return { app, ...(await listen(app.server)) };
}

test('answers the prefix itself, and every path below it', async () => {
  const { origin } = await start(echo);
  for (const path of ['', '/', '/a', '/a/b?c=d', '/a%2Fb'])
    expect(await (await fetch(origin + prefix + path)).json()).toMatchObject({ url: origin + prefix + path });
  expect((await fetch(`${origin}/api`)).status).toBe(404);
});

test('works without a prefix', async () => {
  const app = fastify();
  await app.register(toFastify(echo));
  await app.ready();
  const { origin } = await listen(app.server);
  for (const path of ['/', '/a']) expect((await fetch(origin + path)).status).toBe(200);
});

describe('bodies', () => {
  test.each([
    ['application/json', '{ "a": 1 }'],
    ['application/json', 'no JSON'],
    ['application/json', '{"__proto__":1}'],
    ['text/plain', 'text'],
    ['application/x-www-form-urlencoded', 'a=1'],
    ['multipart/form-data; boundary=x', '--x'],
    ['what/ever', 'x'],
  ])('of type %s come as they are: %s', async (type, body) => {
    const { origin } = await start(echo, { bodyLimit: 1 });
    const answer = await fetch(origin + prefix, { method: 'POST', body, headers: { 'content-type': type } });
    expect(await answer.json()).toMatchObject({ body, headers: { 'content-type': type } });
  });

  test('without a type come as they are', async () => {
    const { port } = await start(echo);
    const client = new RawClient(port).send(
      `POST ${prefix} HTTP/1.1`,
      'host: a',
      'connection: close',
      'content-length: 5',
      '',
      'hello',
    );
    expect(await client.untilClosed()).toContain('"body":"hello"');
  });

  test('that a hook has changed come as it has made them', async () => {
    const { origin } = await start(echo, {
      prepare: (app) =>
        app.addHook('preParsing', (_request, _reply, payload, done) => {
          const louder = new Transform({
            transform: (chunk, _encoding, give) => give(null, `${String(chunk).toUpperCase()}!`),
          });
          done(null, payload.pipe(louder));
        }),
    });
    const answer = await fetch(origin + prefix, { method: 'POST', body: 'hello' });
    const { body, headers } = (await answer.json()) as Echo;
    expect(body).toBe('HELLO!');
    expect(headers).not.toHaveProperty('content-length');
  });

  test('that a hook has changed fail when the client goes', async () => {
    const begun = deferred();
    const failed = deferred<boolean>();
    const { port } = await start(
      async ({ body, signal }) => {
        const chunks = body!.getReader();
        await chunks.read();
        begun.resolve();
        await chunks.read().catch((error: unknown) => failed.resolve(error === signal.reason));
        return new Response();
      },
      {
        prepare: (app) =>
          app.addHook('preParsing', (_request, _reply, payload, done) => done(null, payload.pipe(new PassThrough()))),
      },
    );
    const client = new RawClient(port).send(`POST ${prefix} HTTP/1.1`, 'host: a', 'content-length: 9', '', 'hello');
    await begun.promise;
    client.reset();
    expect(await failed.promise).toBe(true);
  });

  test('that a hook has read are used', async () => {
    const { origin } = await start(echo, {
      prepare: (app) =>
        app.addHook('preHandler', async (request) => {
          await text(request.raw);
          request.body = { read: true };
        }),
    });
    const answer = await fetch(origin + prefix, {
      method: 'POST',
      body: '{}',
      headers: { 'content-type': 'application/json' },
    });
    expect(await answer.json()).toMatchObject({ body: '{"read":true}', headers: { 'content-length': '13' } });
  });

  test('that a hook has read and not kept are refused', async () => {
    const { origin } = await start(echo, {
      prepare: (app) =>
        app.addHook('preHandler', async (request) => {
          await text(request.raw);
        }),
    });
    const answer = await fetch(origin + prefix, { method: 'POST', body: 'x' });
    expect([answer.status, await answer.json()]).toEqual([400, { error: expect.stringMatching(/was read before/) }]);
  });
});

test('leaves the parsers of the application as they are', async () => {
  const { origin } = await start(echo, {
    prepare: (app) => app.post('/own', async ({ body }) => ({ got: body })),
  });
  const answer = await fetch(`${origin}/own`, {
    method: 'POST',
    body: '{"a":1}',
    headers: { 'content-type': 'application/json' },
  });
  expect(await answer.json()).toEqual({ got: { a: 1 } });
});

test('hooks of the application may refuse, set headers, and see the end', async () => {
  const seen: string[] = [];
  let called = 0;
  const { origin, drain } = await start(
    async () => {
      called++;
      return new Response('x', { headers: { 'x-own': 'handler' } });
    },
    {
      prepare: (app) => {
        app.addHook('onRequest', async (_request, reply) => {
          reply.headers({ 'x-own': 'hook', 'x-hook': 1, 'set-cookie': ['a=1', 'b=2'] });
        });
        app.addHook('preHandler', async ({ headers }, reply) => {
          if (!headers.authorization) await reply.code(401).send({ error: 'no' });
        });
        app.addHook('onResponse', async ({ method }, reply) => {
          seen.push(`${method} ${reply.raw.statusCode}`);
        });
      },
    },
  );
  expect((await fetch(origin + prefix)).status).toBe(401);
  expect(called).toBe(0);
  const { headers } = await fetch(origin + prefix, { headers: { authorization: 'x' } });
  expect([headers.get('x-own'), headers.get('x-hook'), headers.getSetCookie()]).toEqual([
    'handler',
    '1',
    ['a=1', 'b=2'],
  ]);
  await drain();
  expect(seen).toEqual(['GET 401', 'GET 200']);
});

test('works with inject', async () => {
  const { app } = await start(echo);
  const answer = await app.inject({ method: 'POST', url: `${prefix}/run`, payload: { a: 1 } });
  expect(answer.json()).toMatchObject({ method: 'POST', body: '{"a":1}' });
  expect((await app.inject({ url: prefix })).json()).toMatchObject({ method: 'GET', body: null });
});
