import { randomBytes } from 'node:crypto';
import { createServer, get, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { createBrotliDecompress, createGunzip, gzipSync } from 'node:zlib';
import compression from 'compression';
import type { Express, RequestHandler } from 'express';
import express from 'express';
import { describe, expect, test } from 'vitest';
import { toExpress, type Handler } from 'runpod-rx/server';
import { deferred, echo, fedBody, type Echo } from './handlers.js';
import { expresses, listen, type Listening } from './hosts.js';
import { RawClient } from './RawClient.js';

const json = { 'content-type': 'application/json' };

describe.each(expresses)('%s', (name, make) => {
  const start = (...middleware: RequestHandler[]): Promise<Listening> => {
    const app = make();
    for (const each of middleware) app.use(each);
    return listen(createServer(app));
  };
  const post = async (
    { origin }: Listening,
    body: BodyInit,
    headers: Record<string, string> = json,
  ): Promise<Echo & { status: number; error?: string }> => {
    const answer = await fetch(`${origin}/run`, { method: 'POST', body, headers });
    return { status: answer.status, ...((await answer.json()) as Echo) };
  };

  test('shows the whole URL wherever it is mounted', async () => {
    const app: Express = make();
    const router = make.Router();
    router.use('/deep', toExpress(echo));
    app.use('/router', router);
    app.all(name === 'Express 4' ? '/all/*' : '/all/*path', toExpress(echo));
    const { origin } = await listen(createServer(app));
    for (const path of ['/router/deep/run?x=1', '/router/deep', '/all/runpod/run?x=1']) {
      const answer = await fetch(origin + path);
      expect(await answer.json()).toMatchObject({ url: origin + path });
    }
  });

  describe('a body that was read', () => {
    test.each([
      ['an object', '{"input": {"text": "h\\u00e9"}}', '{"input":{"text":"hé"}}'],
      ['an empty object', '{ }', '{}'],
      ['a list', '[]', '[]'],
      ['null', 'null', 'null'],
      ['false', 'false', 'false'],
      ['a number', ' 0', '0'],
      ['text', '"123"', '"123"'],
      ['empty text', '""', '""'],
      ['text in chunks', '"h\\u00e9"', '"hé"'],
    ])('by express.json(), %s, is whole', async (_, sent, seen) => {
      const listening = await start(make.json({ strict: false }), toExpress(echo));
      const { status, body, headers } = await post(listening, sent, {
        'content-type': 'application/JSON; charset=utf-8',
      });
      expect([status, body]).toEqual([200, seen]);
      expect(headers).toMatchObject({ ...json, 'content-length': String(Buffer.byteLength(seen)) });
    });

    test('by express.json(), of another type of JSON, is JSON', async () => {
      const listening = await start(make.json({ type: '*/*' }), toExpress(echo));
      for (const type of ['application/problem+json', 'text/plain'])
        expect(await post(listening, '{"a":1}', { 'content-type': type })).toMatchObject({
          body: '{"a":1}',
          headers: json,
        });
    });

    test('by express.json(), compressed, is whole and no longer compressed', async () => {
      const listening = await start(make.json(), toExpress(echo));
      const { body, headers } = await post(listening, gzipSync('{"a":1}'), { ...json, 'content-encoding': 'gzip' });
      expect(body).toBe('{"a":1}');
      expect(headers).toMatchObject({ 'content-length': '7' });
      expect(headers).not.toHaveProperty('content-encoding');
    });

    test('by express.json(), in chunks, is whole', async () => {
      const { port } = await start(make.json({ strict: false }), toExpress(echo));
      for (const [chunk, seen] of [
        ['{"a":1}', '{"a":1}'],
        ['"word"', '"word"'],
      ] as const) {
        const client = new RawClient(port).send(
          'POST / HTTP/1.1',
          'host: a',
          'connection: close',
          'content-type: application/json',
          'transfer-encoding: chunked',
          '',
          chunk.length.toString(16),
          chunk,
          '0',
          '',
          '',
        );
        const [, said = ''] = (await client.untilClosed()).split('\r\n\r\n');
        const { body, headers } = JSON.parse(/\{.*\}/.exec(said)![0]) as Echo;
        expect(body).toBe(seen);
        expect(headers).toMatchObject({ 'content-length': String(seen.length) });
        expect(headers).not.toHaveProperty('transfer-encoding');
      }
    });

    test('by express.text() is whole, whatever its charset was', async () => {
      const listening = await start(make.text({ type: '*/*' }), toExpress(echo));
      for (const body of ['{"input": 1}', '"word"', 'no JSON'])
        expect(await post(listening, body)).toMatchObject({ body, headers: json });
      const latin = { 'content-type': 'text/plain; charset="ISO-8859-1"; x=y' };
      expect(await post(listening, Buffer.from('h\u00e9', 'latin1'), latin)).toMatchObject({
        body: 'hé',
        headers: { 'content-type': 'text/plain; charset=utf-8; x=y', 'content-length': '3' },
      });
      expect(await post(listening, 'a=b', { 'content-type': 'application/x-www-form-urlencoded' })).toMatchObject({
        body: 'a=b',
      });
    });

    test('by express.raw() is whole, byte by byte', async () => {
      const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
      const listening = await start(
        make.raw({ type: '*/*' }),
        toExpress(async (request) => new Response(await request.arrayBuffer(), { headers: request.headers })),
      );
      const answer = await fetch(`${listening.origin}/run`, {
        method: 'POST',
        body: bytes,
        headers: { 'content-type': 'a/b' },
      });
      expect(answer.headers.get('content-type')).toBe('a/b');
      expect(new Uint8Array(await answer.arrayBuffer())).toEqual(bytes);
    });

    test.each([
      [
        'by express.urlencoded()',
        make.urlencoded({ extended: false }),
        'application/x-www-form-urlencoded',
        /express\.urlencoded\(\)/,
      ],
      ['by a parser of forms', reads({ a: '1' }), 'multipart/form-data; boundary=x', /multer/],
      ['by something that keeps nothing', reads(undefined), 'application/json', /the middleware that reads it/],
      ['by something behind a parser', reads({}), 'text/plain', /the middleware that reads it/],
      ['and made something that is no JSON', reads({ big: 1n }), 'application/json', /the middleware that reads it/],
      ['and made a function', reads(() => 1), 'application/json', /the middleware that reads it/],
    ])('%s is refused', async (_, middleware, type, reason) => {
      let called = false;
      const listening = await start(
        middleware,
        toExpress(async () => {
          called = true;
          return new Response();
        }),
      );
      const { status, error } = await post(listening, 'a=1&b=2', { 'content-type': type });
      expect([status, error, called]).toEqual([400, expect.stringMatching(reason), false]);
    });

    test('that was none stays none, though a parser leaves an object', async () => {
      const listening = await start(make.json(), make.urlencoded({ extended: false }), reads({}), toExpress(echo));
      for (const init of [{ method: 'POST' }, { method: 'GET' }, { method: 'DELETE', headers: json }]) {
        const answer = await fetch(`${listening.origin}/run`, init);
        expect(await answer.json()).toMatchObject({ body: null, method: init.method });
      }
    });
  });

  test('a body that parsers have passed by is taken as it comes', async () => {
    const listening = await start(make.json(), make.urlencoded({ extended: false }), toExpress(echo));
    const sent = { 'content-type': 'text/plain' };
    expect(await post(listening, '{ "a": 1 }', sent)).toMatchObject({ body: '{ "a": 1 }', headers: sent });
  });

  test('what middleware has made of the headers is what the handler sees', async () => {
    const listening = await start((request, _response, next) => {
      delete request.headers['x-admin'];
      request.headers['x-user'] = 'somebody';
      next();
    }, toExpress(echo));
    const { headers } = await post(listening, '{}', { ...json, 'x-admin': 'yes' });
    expect(headers).toMatchObject({ 'x-user': 'somebody' });
    expect(headers).not.toHaveProperty('x-admin');
  });

  test('keeps the headers of middleware', async () => {
    const { origin } = await start(
      (_request, response, next) => {
        response.setHeader('x-before', '1');
        response.setHeader('x-own', '1');
        response.setHeader('set-cookie', ['a=1', 'b=2']);
        response.setHeader('vary', 'Origin');
        next();
      },
      toExpress(
        async () =>
          new Response('', {
            headers: [
              ['x-own', '2'],
              ['set-cookie', 'c=3'],
              ['vary', 'Accept'],
            ],
          }),
      ),
    );
    const { headers } = await fetch(origin);
    expect(headers.get('x-before')).toBe('1');
    expect(headers.get('x-own')).toBe('2');
    expect(headers.get('vary')).toBe('Origin, Accept');
    expect(headers.getSetCookie()).toEqual(['a=1', 'b=2', 'c=3']);
    expect(headers.has('etag')).toBe(false);
  });

  test('leaves a response alone that somebody else has sent meanwhile', async () => {
    const answer = fedBody();
    const ended = deferred();
    const { origin } = await start(
      (_request, response, next) => {
        next();
        response.status(503).end('too late', () => ended.resolve());
      },
      toExpress(async () => {
        await ended.promise;
        return new Response(answer.body);
      }),
    );
    const { status } = await fetch(origin);
    expect(status).toBe(503);
    await answer.cancelled;
  });

  test.each(['destroy', 'end'] as const)('cancels the body when somebody else calls %s meanwhile', async (how) => {
    const answer = fedBody();
    let interfere = (): void => undefined;
    const { port } = await start(
      (_request, response, next) => {
        interfere = () => void response[how]();
        next();
      },
      toExpress(async () => new Response(answer.body)),
    );
    const client = new RawClient(port).send('GET / HTTP/1.1', 'host: a', '', '');
    await client.until(/\r\n\r\n/);
    interfere();
    answer.feed('x');
    await answer.cancelled;
  });

  describe('behind compression', () => {
    const events = { 'content-type': 'text/event-stream' };

    test.each([
      ['gzip', createGunzip],
      ['br', createBrotliDecompress],
    ])('sends the head, and each event, at once: %s', async (encoding, decoder) => {
      const answer = fedBody();
      const handler: Handler = async () => new Response(answer.body, { headers: events });
      const { origin } = await start(compression({ filter: () => true }), toExpress(handler));
      const response = await new Promise<IncomingMessage>((resolve, reject) => {
        get(origin, { headers: { 'accept-encoding': encoding } }, resolve).on('error', reject);
      });
      expect(response.headers['content-encoding']).toBe(encoding);
      const received = response.pipe(decoder())[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
      for (const event of ['data: 1\n\n', 'data: 2\n\n', 'data: 3\n\n']) {
        answer.feed(event);
        expect(String((await received.next()).value)).toBe(event);
      }
      answer.close();
      expect(await received.next()).toMatchObject({ done: true });
    });

    test('sends many megabytes whole, to a client that takes its time', async () => {
      const chunk = randomBytes(64 * 1024);
      let given = 0;
      const handler: Handler = async () =>
        new Response(
          new ReadableStream({
            pull: (to) => (given++ < 200 ? to.enqueue(chunk) : to.close()),
          }),
          { headers: { 'content-type': 'text/plain', 'content-length': String(200 * chunk.length) } },
        );
      const { origin } = await start(compression(), toExpress(handler));
      const answer = await fetch(origin);
      expect(answer.headers.get('content-encoding')).toMatch(/./);
      expect((await answer.arrayBuffer()).byteLength).toBe(200 * chunk.length);
    });

    test('a client that goes cancels the body', async () => {
      const cancelled = deferred();
      const chunk = randomBytes(1024 * 1024);
      const handler: Handler = async () =>
        new Response(new ReadableStream({ pull: (to) => to.enqueue(chunk), cancel: () => cancelled.resolve() }), {
          headers: events,
        });
      const { port } = await start(compression({ filter: () => true }), toExpress(handler));
      const client = new RawClient(port).send('GET / HTTP/1.1', 'host: a', 'accept-encoding: gzip', '', '');
      await client.until(/\r\n\r\n/);
      client.socket.pause();
      client.reset();
      await cancelled.promise;
    });
  });
});

/** Middleware that reads the body, and leaves something in its place. */
function reads(body: unknown): RequestHandler {
  return (request, _response, next) => {
    void text(request).then(() => {
      request.body = body;
      next();
    });
  };
}

test('the types fit those of Express', () => {
  const app = express();
  app.use('/a', toExpress(echo));
  app.all('/a/*path', toExpress(echo));
  expect(app).toBeDefined();
});
