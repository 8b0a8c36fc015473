import { Hono } from 'hono';
import { config } from 'rxjs';
import { expect, onTestFinished, test } from 'vitest';
import { toHono, type HandlerContext } from 'runpod-rx/server';
import { echo } from './handlers.js';

const url = 'http://a.test/api/runpod/run';
const post = (body: BodyInit, type = 'application/json') => ({
  method: 'POST',
  body,
  headers: { 'content-type': type },
});

test('hands over the very request', async () => {
  const seen: unknown[] = [];
  const app = new Hono().all(
    '/api/runpod/*',
    toHono(async (...all) => {
      seen.push(...all);
      return new Response('x');
    }),
  );
  const request = new Request(url);
  await app.fetch(request);
  // Nothing but the request: Node has no context.
  expect(seen).toEqual([request]);
  expect(seen[0]).toBe(request);
});

test('hands over waitUntil where there is one', async () => {
  const kept: unknown[] = [];
  const executionCtx = {
    waitUntil(work: Promise<unknown>) {
      expect(this).toBe(executionCtx);
      kept.push(work);
    },
    passThroughOnException: () => undefined,
    props: {},
  };
  const work = Promise.resolve();
  let context: HandlerContext | undefined;
  const app = new Hono().all(
    '/api/runpod/*',
    toHono(async (_request, given) => {
      context = given;
      given?.waitUntil?.(work);
      return new Response('x');
    }),
  );
  await app.fetch(new Request(url), {}, executionCtx);
  expect(kept).toEqual([work]);
  expect(Object.keys(context ?? {})).toEqual(['waitUntil']);
});

test.each(['json', 'text', 'arrayBuffer', 'blob'] as const)('uses a body that was read by c.req.%s()', async (how) => {
  const app = new Hono();
  app.use(async (c, next) => {
    await c.req[how]();
    await next();
  });
  app.all('/api/runpod/*', toHono(echo));
  const answer = await app.fetch(new Request(url, post('{"a":"é"}')));
  expect(await answer.json()).toMatchObject({
    method: 'POST',
    url,
    body: '{"a":"é"}',
    headers: { 'content-type': 'application/json', 'content-length': '10' },
  });
});

test('a request with a body that was read follows the signal of the first', async () => {
  const app = new Hono();
  app.use(async (c, next) => {
    await c.req.text();
    await next();
  });
  let signal: AbortSignal | undefined;
  app.all(
    '/api/runpod/*',
    toHono(async (request) => {
      ({ signal } = request);
      return new Response('x');
    }),
  );
  const leaving = new AbortController();
  await app.fetch(new Request(url, { ...post('x'), signal: leaving.signal }));
  expect(signal?.aborted).toBe(false);
  leaving.abort();
  expect(signal?.aborted).toBe(true);
});

test.each([
  ['a form', 'application/x-www-form-urlencoded', (request: Request) => request, /forms/],
  [
    'a body that was read past Hono',
    'text/plain',
    (request: Request) => request.text(),
    /the middleware that reads it/,
  ],
])('refuses %s that was read', async (_, type, read, reason) => {
  const app = new Hono();
  app.use(async (c, next) => {
    await (type === 'text/plain' ? read(c.req.raw) : c.req.parseBody());
    await next();
  });
  app.all('/api/runpod/*', toHono(echo));
  const answer = await app.fetch(new Request(url, post('a=1', type)));
  expect([answer.status, await answer.json()]).toEqual([400, { error: expect.stringMatching(reason) }]);
});

test('a handler that throws is answered with 500', async () => {
  const unhandled: unknown[] = [];
  config.onUnhandledError = (error) => unhandled.push(error);
  onTestFinished(() => {
    config.onUnhandledError = null;
  });
  const error = new Error('secret');
  const app = new Hono().all(
    '/api/runpod/*',
    toHono(() => {
      throw error;
    }),
  );
  const answer = await app.fetch(new Request(url));
  expect([answer.status, await answer.text()]).toEqual([500, '{"error":"internal error"}']);
  expect(unhandled).toEqual([error]);
});
