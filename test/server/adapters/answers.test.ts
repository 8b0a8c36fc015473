import { config } from 'rxjs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Handler } from 'runpod-rx/server';
import { deferred, echo, fedBody, type Echo } from './handlers.js';
import { hosts } from './hosts.js';
import { RawClient } from './RawClient.js';

const unhandled: unknown[] = [];
beforeEach(() => {
  unhandled.length = 0;
  config.onUnhandledError = (error) => unhandled.push(error);
});
afterEach(() => {
  config.onUnhandledError = null;
});

const path = '/api/runpod/v2/demo/run?x=1&y=%2F';

describe.each(hosts)('$name', ({ name, start }) => {
  test.each(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])('hands over %s', async (method) => {
    const { origin } = await start(echo);
    const body = method === 'GET' ? undefined : '{"input":"héllo"}';
    const answer = await fetch(origin + path, { method, body, headers: { 'x-own': 'a', 'content-type': 'any/thing' } });
    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual({
      method,
      url: origin + path,
      headers: expect.objectContaining({
        host: origin.slice('http://'.length),
        'x-own': 'a',
        'content-type': 'any/thing',
        ...(body && { 'content-length': String(Buffer.byteLength(body)) }),
      }),
      body: body ?? null,
    });
  });

  test('answers HEAD without a body, and cancels the one it was given', async () => {
    const answer = fedBody();
    let asked = '';
    const { origin } = await start(async ({ method }) => {
      asked = method;
      return new Response(answer.body, { headers: { 'content-length': '1000', etag: '"a"' } });
    });
    const { status, headers, body } = await fetch(origin + path, { method: 'HEAD' });
    expect([status, headers.get('etag'), body, asked]).toEqual([200, '"a"', null, 'HEAD']);
    // Hono itself takes the body off.
    if (name !== 'Hono') await answer.cancelled;
  });

  test.each([204, 304])('answers %i without a body', async (status) => {
    const { port } = await start(async () => new Response(null, { status, headers: { 'x-own': 'a' } }));
    const client = new RawClient(port).send(`GET ${path} HTTP/1.1`, 'host: a', 'connection: close', '', '');
    const said = await client.untilClosed();
    expect(said).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(said.toLowerCase()).not.toMatch(/transfer-encoding|content-type/);
    expect(said).toMatch(/\r\n\r\n$/);
  });

  test('adds nothing to the headers, and keeps cookies apart', async () => {
    const { port } = await start(async () => {
      const headers = new Headers({ 'content-type': 'text/plain', 'x-latin': 'caf\u00e9' });
      headers.append('set-cookie', 'a=1; Expires=Wed, 21 Oct 2015 07:28:00 GMT');
      headers.append('set-cookie', 'b=2');
      headers.append('x-two', '1');
      headers.append('x-two', '2');
      return new Response('hello', { headers, statusText: 'Fine' });
    });
    const client = new RawClient(port).send(`GET ${path} HTTP/1.1`, 'host: a', 'connection: close', '', '');
    const [head = ''] = (await client.untilClosed()).split('\r\n\r\n');
    const [line, ...headers] = head.split('\r\n');
    expect(line).toBe('HTTP/1.1 200 Fine');
    expect(headers.filter((header) => !/^(date|x-powered-by):/i.test(header)).sort()).toEqual(
      [
        'Connection: close',
        'Transfer-Encoding: chunked',
        'content-type: text/plain',
        'set-cookie: a=1; Expires=Wed, 21 Oct 2015 07:28:00 GMT',
        'set-cookie: b=2',
        'x-latin: caf\u00e9',
        'x-two: 1, 2',
      ].sort(),
    );
  });

  test('keeps the length that the handler gives, and says that no body is empty', async () => {
    const { origin } = await start(async ({ url }) =>
      url.endsWith('/none') ? new Response(null) : new Response('héllo', { headers: { 'content-length': '6' } }),
    );
    const known = await fetch(origin + path);
    expect([known.headers.get('content-length'), await known.text()]).toEqual(['6', 'héllo']);
    const none = await fetch(`${origin}/api/runpod/none`);
    expect([none.headers.get('content-length'), await none.text()]).toEqual(['0', '']);
  });

  test('a handler that says how its answer is sent is not heard', async () => {
    const headers = { 'transfer-encoding': 'gzip', 'content-length': '5' };
    const { port } = await start(async () => new Response('hello', { headers }));
    const client = new RawClient(port).send(`GET ${path} HTTP/1.1`, 'host: a', 'connection: close', '', '');
    const said = await client.untilClosed();
    expect(said).toMatch(/\r\n\r\nhello$/);
    expect(said.toLowerCase()).not.toContain('transfer-encoding');
  });

  test('sends the head, and each chunk, at once', async () => {
    const answer = fedBody();
    const { port } = await start(
      async () => new Response(answer.body, { headers: { 'content-type': 'text/event-stream' } }),
    );
    const client = new RawClient(port).send(`GET ${path} HTTP/1.1`, 'host: a', 'connection: close', '', '');
    await client.until(/\r\n\r\n/);
    for (const chunk of ['data: 1\n\n', 'data: 2\n\n', 'data: 3\n\n']) {
      answer.feed(chunk);
      await client.until(new RegExp(chunk));
    }
    answer.close();
    expect(await client.untilClosed()).toMatch(/\r\n0\r\n\r\n$/);
  });

  test('reads the next chunk only when the client has taken what there is', async () => {
    const chunk = new Uint8Array(64 * 1024);
    const chunks = 1024;
    let given = 0;
    const { port } = await start(
      async () =>
        new Response(
          new ReadableStream({
            pull(controller) {
              if (given++ < chunks) controller.enqueue(chunk);
              else controller.close();
            },
          }),
        ),
    );
    const client = new RawClient(port);
    let taken = 0;
    let lead = 0;
    client.socket.on('data', (data) => {
      lead = Math.max(lead, given * chunk.length - taken);
      taken += data.length;
    });
    client.send(`GET ${path} HTTP/1.1`, 'host: a', 'connection: close', '', '');
    await client.closed;
    expect(taken).toBeGreaterThan(chunks * chunk.length);
    // What the system's buffers hold is far less than half of the body.
    expect(lead).toBeLessThan((chunks * chunk.length) / 2);
  });

  test('gives the body of a request as it comes', async () => {
    const { port } = await start(async ({ body }) => new Response(body));
    const client = new RawClient(port).send(
      `POST ${path} HTTP/1.1`,
      'host: a',
      'transfer-encoding: chunked',
      'connection: close',
      '',
      '',
    );
    for (const chunk of ['one', 'two', 'six']) {
      client.send('3', chunk, '');
      await client.until(new RegExp(chunk));
    }
    client.send('0', '', '');
    expect(await client.untilClosed()).toMatch(/\r\n0\r\n\r\n$/);
  });

  test.each([
    ['no length', []],
    ['the length 0', ['content-length: 0']],
    ['the length 0 and a type', ['content-length: 0', 'content-type: application/json']],
    ['a type alone', ['content-type: application/json']],
  ])('a POST with %s has no body', async (_, headers) => {
    const { port } = await start(echo);
    const client = new RawClient(port).send(
      `POST ${path} HTTP/1.1`,
      'host: a',
      'connection: close',
      ...headers,
      '',
      '',
    );
    expect(await client.untilClosed()).toMatch(/^HTTP\/1.1 200 .*"body":null/s);
  });

  test('an empty body in chunks is an empty body', async () => {
    const { port } = await start(echo);
    const client = new RawClient(port).send(
      `POST ${path} HTTP/1.1`,
      'host: a',
      'connection: close',
      'content-type: application/json',
      'transfer-encoding: chunked',
      '',
      '0',
      '',
      '',
    );
    expect(await client.untilClosed()).toMatch(/^HTTP\/1.1 200 .*"body":""/s);
  });

  test('takes a body of many megabytes', async () => {
    const { origin } = await start(async (request) => new Response(String((await request.arrayBuffer()).byteLength)));
    const body = new Uint8Array(24 * 1024 * 1024);
    const answer = await fetch(origin + path, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json' },
    });
    expect(await answer.text()).toBe(String(body.length));
  });

  test.each([
    ['reads none of it', async () => new Response('done')],
    ['cancels it', async ({ body }: Request) => (await body?.cancel(), new Response('done'))],
    [
      'reads some of it',
      async ({ body }: Request) => {
        await body?.getReader().read();
        return new Response('done');
      },
    ],
  ])('the connection goes on when a handler %s', async (_, handler) => {
    const { port } = await start(handler);
    const client = new RawClient(port);
    const length = 4 * 1024 * 1024;
    client.send(`POST ${path} HTTP/1.1`, 'host: a', `content-length: ${length}`, '', 'x'.repeat(length));
    client.send(`GET ${path} HTTP/1.1`, 'host: a', 'connection: close', '', '');
    expect((await client.untilClosed()).match(/HTTP\/1.1 200/g)).toHaveLength(2);
  });

  test('a body that a handler has cancelled is taken off the connection before the answer', async () => {
    const uploaded = deferred();
    const { port } = await start(async ({ body }) => {
      await body?.cancel();
      await uploaded.promise;
      return new Response('done');
    });
    const client = new RawClient(port);
    // Far more than the buffers on the way hold.
    const length = 32 * 1024 * 1024;
    client.send(`POST ${path} HTTP/1.1`, 'host: a', 'connection: close', `content-length: ${length}`, '', '');
    client.socket.write(Buffer.alloc(length), () => uploaded.resolve());
    expect(await client.untilClosed()).toMatch(/done/);
  });

  test('a body cannot be read once the answer is out', async () => {
    let late: Promise<unknown> = Promise.resolve();
    const { port, drain } = await start(async (request) => {
      late = Promise.resolve().then(async () => {
        await answered;
        return request.text();
      });
      late.catch(() => undefined);
      return new Response('done');
    });
    const client = new RawClient(port);
    const answered = client.until(/done/);
    client.send(`POST ${path} HTTP/1.1`, 'host: a', 'connection: close', 'content-length: 5', '', '12345');
    await answered;
    await drain();
    await expect(late).rejects.toThrow(TypeError);
  });

  test('asks for a body that waits for it', async () => {
    const { port } = await start(echo);
    const client = new RawClient(port).send(
      `POST ${path} HTTP/1.1`,
      'host: a',
      'connection: close',
      'expect: 100-continue',
      'content-length: 5',
      '',
      '',
    );
    await client.until(/^HTTP\/1.1 100 /);
    client.send('hello');
    expect(await client.untilClosed()).toMatch(/HTTP\/1.1 200 .*"body":"hello"/s);
  });

  describe('fails', () => {
    const failing: [string, Handler, unknown][] = [
      ['rejects', () => Promise.reject(new Error('secret')), expect.objectContaining({ message: 'secret' })],
      [
        'throws',
        () => {
          throw new Error('secret');
        },
        expect.objectContaining({ message: 'secret' }),
      ],
      ['gives nothing', (async () => undefined) as unknown as Handler, expect.any(TypeError)],
      ['gives text', (async () => 'secret') as unknown as Handler, expect.any(TypeError)],
      ['gives a network error', async () => Response.error(), expect.any(TypeError)],
      [
        'gives a response that was read',
        async () => {
          const response = new Response('secret');
          await response.text();
          return response;
        },
        expect.any(TypeError),
      ],
    ];
    test.each(failing)('with 500 when the handler %s', async (_, handler, error) => {
      const { origin } = await start(handler);
      const answer = await fetch(origin + path, { method: 'POST', body: 'x' });
      expect([answer.status, answer.headers.get('content-type'), await answer.text()]).toEqual([
        500,
        'application/json',
        '{"error":"internal error"}',
      ]);
      expect(unhandled).toEqual([error]);
    });

    test('by an answer that ends when its body fails, after what came before', async () => {
      const answer = fedBody();
      let signal: AbortSignal | undefined;
      const { port, drain } = await start(async (request) => {
        ({ signal } = request);
        return new Response(answer.body);
      });
      const client = new RawClient(port).send(`GET ${path} HTTP/1.1`, 'host: a', '', '');
      await client.until(/\r\n\r\n/);
      answer.feed('something');
      answer.fail(new Error('secret'));
      const said = await client.untilClosed();
      expect(said).toContain('something');
      expect(said).not.toMatch(/\r\n0\r\n|secret/);
      await drain();
      expect(unhandled).toEqual([expect.objectContaining({ message: 'secret' })]);
      // It was not the client that went.
      expect(signal?.aborted).toBe(false);
    });

    test.each(['3', '12'])('when a body of 6 bytes is said to have %s', async (length) => {
      const { port } = await start(async () => new Response('héllo', { headers: { 'content-length': length } }));
      const client = new RawClient(port).send(`GET ${path} HTTP/1.1`, 'host: a', '', '');
      await client.closed;
      expect(unhandled).toEqual([expect.objectContaining({ code: 'ERR_HTTP_CONTENT_LENGTH_MISMATCH' })]);
    });

    test('when a header is none that Node sends', async () => {
      const { origin } = await start(async () => new Response('x', { headers: { 'x-own': 'a', 'x-odd': 'a\u0001b' } }));
      const answer = await fetch(origin + path);
      expect([answer.status, await answer.text(), answer.headers.get('x-own')]).toEqual([
        500,
        '{"error":"internal error"}',
        null,
      ]);
      expect(unhandled).toHaveLength(1);
    });
  });

  describe('odd requests', () => {
    test.each([
      ['a host with a path', ['host: a/b'], 400],
      ['a host with a user', ['host: a@b'], 400],
      ['a host that is no name', ['host: a b'], 400],
      ['a host with an impossible port', ['host: a:99999'], 400],
      ['half a host of IPv6', ['host: ['], 400],
      ['two hosts', ['host: a', 'host: b'], 400],
      ['an empty host', ['host:'], 200],
      ['no end of values', ['host: a', 'x-odd: \u00ff\u0080', 'x-odd: ', '__proto__: x', 'constructor: y'], 200],
      ['what proxies say', ['host: a', 'x-forwarded-host: b', 'x-forwarded-proto: https', 'forwarded: host=b'], 200],
    ])('%s', async (_, headers, status) => {
      const { port } = await start(async ({ url }) => new Response(url));
      const client = new RawClient(port);
      client.socket.write([`GET ${path} HTTP/1.1`, 'connection: close', ...headers, '', ''].join('\r\n'), 'latin1');
      const said = await client.untilClosed();
      expect(said).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
      if (status === 400) expect(said).toMatch(/\{"error":"bad request: \S.*"\}/);
      else expect(said).toContain(`http://${headers[0] === 'host:' ? 'localhost' : 'a'}${path}`);
    });

    test('a client of HTTP/1.0 that names no host', async () => {
      const { port } = await start(async ({ url }) => new Response(url));
      const client = new RawClient(port).send(`GET ${path} HTTP/1.0`, '', '');
      expect(await client.untilClosed()).toMatch(/^HTTP\/1.1 200 [^]*\r\n\r\nhttp:\/\/localhost\/api/);
    });

    test('TRACE is not allowed', async () => {
      const { port } = await start(echo);
      const client = new RawClient(port).send(`TRACE ${path} HTTP/1.1`, 'host: a', 'connection: close', '', '');
      expect(await client.untilClosed()).toMatch(/^HTTP\/1.1 405 .*\{"error":"method not allowed"\}/s);
    });

    test('CONNECT ends the connection', async () => {
      const { port, origin } = await start(echo);
      await new RawClient(port).send(`CONNECT a:80 HTTP/1.1`, 'host: a:80', '', '').closed;
      expect((await fetch(origin + path)).status).toBe(200);
    });

    test.each(['GET', 'HEAD'])('the body of a %s is ignored', async (method) => {
      const { port } = await start(
        async ({ body }) => new Response(body, { headers: { 'x-body': body ? 'some' : 'none' } }),
      );
      const client = new RawClient(port);
      client.send(`${method} ${path} HTTP/1.1`, 'host: a', 'content-length: 5', 'content-type: a/b', '', 'hello');
      client.send(`GET ${path} HTTP/1.1`, 'host: a', 'connection: close', '', '');
      expect((await client.untilClosed()).match(/x-body: none/g)).toHaveLength(2);
    });

    test('two headers of one name', async () => {
      const { port } = await start(echo);
      const client = new RawClient(port).send(
        `GET ${path} HTTP/1.1`,
        'host: a',
        'connection: close',
        ...['x-two: 1', 'x-two: 2', 'cookie: a=1', 'cookie: b=2', 'set-cookie: c=3', 'set-cookie: d=4'],
        '',
        '',
      );
      const said = await client.untilClosed();
      const { headers } = JSON.parse(/\{"method.*\}/.exec(said)![0]) as Echo;
      expect(headers).toMatchObject({ 'x-two': '1, 2', cookie: 'a=1; b=2' });
    });
  });
});
