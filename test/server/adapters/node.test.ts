import { METHODS, createServer, type ServerResponse } from 'node:http';
import * as http2 from 'node:http2';
import { createServer as createTlsServer, request as tlsRequest } from 'node:https';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { config } from 'rxjs';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { toNode, type Handler } from 'runpod-rx/server';
import { selfSigned } from '../../support/certificate.js';
import { aborted, deferred, echo, fedBody } from './handlers.js';
import { listen } from './hosts.js';
import { RawClient } from './RawClient.js';

const unhandled: unknown[] = [];
beforeEach(() => {
  unhandled.length = 0;
  config.onUnhandledError = (error) => unhandled.push(error);
});
afterEach(() => {
  config.onUnhandledError = null;
});

const where: Handler = async ({ url }) => new Response(url);

describe('the target', () => {
  test.each([
    ['/', 'http://host.test/'],
    ['/a?b=c', 'http://host.test/a?b=c'],
    ['//evil.test/x', 'http://host.test//evil.test/x'],
    ['///evil.test/x', 'http://host.test///evil.test/x'],
    ['/\\evil.test', 'http://host.test//evil.test'],
    ['/@evil.test/', 'http://host.test/@evil.test/'],
    ['/%', 'http://host.test/%'],
    ['/a/../b', 'http://host.test/b'],
    ['/http://evil.test/', 'http://host.test/http://evil.test/'],
    ['/?http://evil.test/', 'http://host.test/?http://evil.test/'],
    // It says itself to whom it goes, and HTTP has the Host header ignored.
    ['http://other.test:81/a?b', 'http://other.test:81/a?b'],
    ['HTTPS://other.test?b', 'http://other.test/?b'],
  ])('%s is %s', async (target, url) => {
    const { port } = await listen(createServer(toNode(where)));
    const client = new RawClient(port).send(`GET ${target} HTTP/1.1`, 'host: host.test', 'connection: close', '', '');
    expect(await client.untilClosed()).toContain(`\r\n${url}\r\n`);
  });

  test('* is the host itself', async () => {
    const { port } = await listen(createServer(toNode(where)));
    const client = new RawClient(port).send('OPTIONS * HTTP/1.1', 'host: host.test', 'connection: close', '', '');
    expect(await client.untilClosed()).toContain('\r\nhttp://host.test/\r\n');
  });

  test.each(['http://[/x', 'http:///x', 'http://a@b/', 'ftp://a/x', 'http://a:b/', 'x'])(
    '%s is refused',
    async (target) => {
      const { port } = await listen(createServer(toNode(where)));
      const client = new RawClient(port).send(`GET ${target} HTTP/1.1`, 'host: host.test', 'connection: close', '', '');
      expect(await client.untilClosed()).toMatch(/^HTTP\/1.1 400 /);
      const next = new RawClient(port).send('GET / HTTP/1.1', 'host: a', 'connection: close', '', '');
      expect(await next.untilClosed()).toContain('http://a/');
    },
  );
});

test('every method that Node knows is handed over or refused', async () => {
  const { port } = await listen(createServer(toNode(async ({ method }) => new Response(method))));
  for (const method of METHODS.filter((each) => each !== 'CONNECT')) {
    const client = new RawClient(port).send(`${method} / HTTP/1.1`, 'host: a', 'connection: close', '', '');
    expect(await client.untilClosed()).toMatch(method === 'TRACE' ? /^HTTP\/1.1 405 / : /^HTTP\/1.1 200 /);
  }
});

test('the end of an answer that fails is no end to a client of HTTP/1.0', async () => {
  const answer = fedBody();
  const { port } = await listen(createServer(toNode(async () => new Response(answer.body))));
  const client = new RawClient(port).send('GET / HTTP/1.0', '', '');
  const failed = once(client.socket, 'error');
  await client.until(/\r\n\r\n/);
  answer.feed('something');
  await client.until(/something/);
  answer.fail(new Error('secret'));
  expect(await failed).toEqual([expect.objectContaining({ code: 'ECONNRESET' })]);
});

test('an answer that is not yet out when its connection breaks aborts the signal', async () => {
  const answer = fedBody();
  const asked = deferred<AbortSignal>();
  const sending = deferred<ServerResponse>();
  const listener = toNode(async ({ signal }) => {
    asked.resolve(signal);
    return new Response(answer.body);
  });
  const { port } = await listen(
    createServer((request, response) => {
      sending.resolve(response);
      listener(request, response);
    }),
  );
  const client = new RawClient(port).send('GET / HTTP/1.1', 'host: a', '', '');
  await client.until(/\r\n\r\n/);
  client.socket.pause();
  const response = await sending.promise;
  // Until the system takes no more: what comes then waits in the process.
  while (response.writableLength === 0) {
    answer.feed('x'.repeat(1024));
    await new Promise(setImmediate);
  }
  answer.close();
  await vi.waitUntil(() => response.writableEnded);
  expect(response.writableFinished).toBe(false);
  response.socket?.destroy();
  await aborted(await asked.promise);
});

test('an answer that fails before its turn lets those before it end', async () => {
  const first = deferred<Response>();
  const failed = fedBody();
  const { port } = await listen(
    createServer(
      toNode(({ url }) => (url.endsWith('/1') ? first.promise : Promise.resolve(new Response(failed.body)))),
    ),
  );
  const client = new RawClient(port);
  client.send('GET /1 HTTP/1.1', 'host: a', '', '').send('GET /2 HTTP/1.1', 'host: a', '', '');
  const reported = new Promise((resolve) => {
    config.onUnhandledError = resolve;
  });
  failed.fail(new Error('secret'));
  await reported;
  first.resolve(new Response('first', { headers: { 'content-length': '5' } }));
  expect(await client.untilClosed()).toMatch(/first$/);
});

test('a signal tells of a client that goes, though nobody has kept the request', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const asked = deferred<AbortSignal>();
  const { port } = await listen(
    createServer(
      toNode(({ signal }) => {
        const gone = aborted(signal).then(() => new Response());
        asked.resolve(signal);
        return gone;
      }),
    ),
  );
  const heard = deferred();
  const streaming = await listen(
    createServer(
      toNode(async ({ signal }) => {
        void aborted(signal).then(() => heard.resolve());
        return new Response(fedBody().body);
      }),
    ),
  );
  const first = new RawClient(port).send('GET / HTTP/1.1', 'host: a', '', '');
  const second = new RawClient(streaming.port).send('GET / HTTP/1.1', 'host: a', '', '');
  const signal = await asked.promise;
  await second.until(/\r\n\r\n/);
  // What was dereferenced in a turn of the loop lives until its end, and promises take some turns.
  for (let turn = 0; turn < 5; turn++) {
    await new Promise(setImmediate);
    collect();
  }
  first.reset();
  second.reset();
  await aborted(signal);
  await heard.promise;
});

test('over TLS, the URL is https', async () => {
  const { port } = await listen(createTlsServer(selfSigned('a.test'), toNode(where)));
  const [answer] = await once(
    tlsRequest({ port, host: '127.0.0.1', path: '/a', headers: { host: 'a' }, rejectUnauthorized: false }).end(),
    'response',
  );
  expect(await text(answer)).toBe('https://a/a');
});

describe('over HTTP/2', () => {
  async function start(handler: Handler): Promise<{ session: http2.ClientHttp2Session; drain(): Promise<void> }> {
    const server = http2.createServer(toNode(handler));
    const closed = once(server, 'close');
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const session = http2.connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const drain = async (): Promise<void> => {
      session.close();
      server.close();
      await closed;
    };
    onTestFinished(() => {
      session.destroy();
      server.close();
    });
    return { session, drain };
  }

  async function ask(
    session: http2.ClientHttp2Session,
    headers: http2.OutgoingHttpHeaders,
    body?: string,
  ): Promise<{ headers: http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader; body: string }> {
    const stream = session.request(headers, { endStream: body === undefined });
    if (body !== undefined) stream.end(body);
    const [answered] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders];
    return { headers: answered, body: await text(stream) };
  }

  test('hands over the request', async () => {
    const { session } = await start(echo);
    const { headers, body } = await ask(
      session,
      { ':method': 'POST', ':path': '/a?b', ':authority': 'a.test:81', 'x-own': '1', cookie: ['a=1', 'b=2'] },
      'héllo',
    );
    expect(headers).toMatchObject({ ':status': 200, 'content-type': 'application/json' });
    expect(JSON.parse(body)).toEqual({
      method: 'POST',
      url: 'http://a.test:81/a?b',
      headers: { host: 'a.test:81', 'x-own': '1', cookie: 'a=1; b=2' },
      body: 'héllo',
    });
    const without = await ask(session, { ':method': 'POST', ':path': '/' });
    expect(JSON.parse(without.body)).toMatchObject({ body: null });
  });

  test('refuses what is no method, and no host', async () => {
    const { session } = await start(echo);
    for (const method of ['TRACE', 'tRaCk']) {
      const { headers, body } = await ask(session, { ':method': method, ':path': '/' });
      expect([headers[':status'], body]).toEqual([405, '{"error":"method not allowed"}']);
    }
    const { headers } = await ask(session, { ':path': '/', ':authority': 'a:99999' });
    expect(headers[':status']).toBe(400);
  });

  test('answers HEAD, no content, and what fails', async () => {
    const { session } = await start(async ({ method, url }) => {
      if (url.endsWith('/fails')) throw new Error('secret');
      return method === 'HEAD' ? new Response('x', { statusText: 'Fine' }) : new Response(null, { status: 204 });
    });
    const head = await ask(session, { ':method': 'HEAD', ':path': '/' });
    expect([head.headers[':status'], head.body]).toEqual([200, '']);
    const none = await ask(session, { ':path': '/' });
    expect([none.headers[':status'], none.body]).toEqual([204, '']);
    const failed = await ask(session, { ':path': '/fails' });
    expect([failed.headers[':status'], failed.body]).toEqual([500, '{"error":"internal error"}']);
  });

  test('ends a stream whose body fails, and no other', async () => {
    const answer = fedBody();
    let signal: AbortSignal | undefined;
    const { session, drain } = await start(async (request) => {
      if (request.url.endsWith('/next')) return new Response('next');
      ({ signal } = request);
      return new Response(answer.body);
    });
    const stream = session.request({ ':path': '/' });
    await once(stream, 'response');
    const failed = once(stream, 'error');
    answer.fail(new Error('secret'));
    expect(await failed).toEqual([expect.objectContaining({ code: 'ERR_HTTP2_STREAM_ERROR' })]);
    expect(await ask(session, { ':path': '/next' })).toMatchObject({ body: 'next' });
    await drain();
    expect(signal?.aborted).toBe(false);
  });

  test('a client that goes aborts the signal, and cancels the body', async () => {
    const asked = deferred<AbortSignal>();
    const answer = fedBody();
    const { session } = await start(async ({ signal, url }) => {
      asked.resolve(signal);
      if (url.endsWith('/waits')) await aborted(signal);
      return new Response(answer.body);
    });
    const waiting = session.request({ ':path': '/waits' });
    const signal = await asked.promise;
    waiting.close(http2.constants.NGHTTP2_CANCEL);
    await aborted(signal);
    await answer.cancelled;
  });

  test('a client that breaks off its upload aborts the signal, and fails the body', async () => {
    const begun = deferred();
    const failed = deferred<unknown>();
    const { session } = await start(async ({ body, signal }) => {
      const chunks = body!.getReader();
      await chunks.read();
      begun.resolve();
      failed.resolve(await chunks.read().catch((error: unknown) => error === signal.reason));
      return new Response();
    });
    const stream = session.request({ ':method': 'POST', ':path': '/' });
    stream.write('some');
    await begun.promise;
    session.destroy();
    expect(await failed.promise).toBe(true);
  });

  test('the end of a connection aborts the signal of a streamed answer', async () => {
    const answer = fedBody();
    const { session } = await start(async () => new Response(answer.body));
    await once(session.request({ ':path': '/' }), 'response');
    session.destroy();
    expect(await answer.cancelled).toMatchObject({ name: 'AbortError' });
  });

  test.each([
    ['read the body', async (request: Request) => new Response(await request.text())],
    ['did not read the body', async () => new Response('answer')],
    ['answer without a body', async () => new Response(null, { status: 204 })],
  ])('100 requests that %s abort nothing', async (_, handler) => {
    const requests: Request[] = [];
    const { session, drain } = await start((request) => {
      requests.push(request);
      return handler(request);
    });
    await Promise.all(
      Array.from({ length: 100 }, (_each, sent) => {
        const method = ['GET', 'HEAD', 'POST'][sent % 3];
        return ask(session, { ':method': method, ':path': '/' }, method === 'POST' ? 'body' : undefined);
      }),
    );
    await drain();
    expect(requests.map(({ signal }) => signal.aborted)).toEqual(Array(100).fill(false));
  });
});
