import { Agent, request as httpRequest } from 'node:http';
import { config } from 'rxjs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Handler } from 'runpod-rx/server';
import { aborted, deferred, fedBody } from './handlers.js';
import { hosts } from './hosts.js';
import { RawClient } from './RawClient.js';

const unhandled: unknown[] = [];
const warned = (warning: Error): unknown => unhandled.push(warning);
beforeEach(() => {
  unhandled.length = 0;
  process.on('warning', warned);
  config.onUnhandledError = (error) => unhandled.push(error);
});
afterEach(() => {
  process.off('warning', warned);
  expect(unhandled).toEqual([]);
  config.onUnhandledError = null;
});

const path = '/api/runpod/v2/demo/run';
const get = [`GET ${path} HTTP/1.1`, 'host: a', '', ''];
const head = [`HEAD ${path} HTTP/1.1`, 'host: a', '', ''];
/** A POST with five bytes of its body, of which there may be more. */
const post = (length = 5, ...more: string[]): string[] => [
  `POST ${path} HTTP/1.1`,
  'host: a',
  'content-type: application/json',
  `content-length: ${length}`,
  ...more,
  '',
  'hello',
];

/** How to go. */
const ways: [string, (client: RawClient) => unknown][] = [
  ['resets the connection', (client) => client.reset()],
  ['closes the connection', (client) => client.socket.destroy()],
  // Node takes no answer to be wanted any more, and ends its own side.
  ['ends its side of the connection', (client) => client.socket.end()],
];

describe.each(hosts)('$name', ({ start }) => {
  describe.each(ways)('a client that %s', (_, leave) => {
    test('before the answer aborts the signal', async () => {
      const asked = deferred<AbortSignal>();
      const { port } = await start(async ({ signal }) => {
        asked.resolve(signal);
        await aborted(signal);
        return new Response('nobody reads this');
      });
      const client = new RawClient(port).send(...get);
      const signal = await asked.promise;
      expect(signal.aborted).toBe(false);
      leave(client);
      await aborted(signal);
      expect(signal.reason).toMatchObject({ name: 'AbortError' });
    });

    test('before the answer, once its body was read, aborts the signal', async () => {
      const asked = deferred<AbortSignal>();
      const { port } = await start(async (request) => {
        await request.text();
        asked.resolve(request.signal);
        await aborted(request.signal);
        return new Response();
      });
      const client = new RawClient(port).send(...post());
      const signal = await asked.promise;
      expect(signal.aborted).toBe(false);
      leave(client);
      await aborted(signal);
    });

    test('while its body is read aborts the signal, and then fails the body', async () => {
      const begun = deferred();
      const failed = deferred<unknown[]>();
      const { port } = await start(async ({ body, signal }) => {
        const chunks = body!.getReader();
        await chunks.read();
        begun.resolve();
        try {
          await chunks.read();
        } catch (error) {
          failed.resolve([signal.aborted, error === signal.reason]);
          throw error;
        }
        return new Response();
      });
      const client = new RawClient(port).send(...post(10));
      await begun.promise;
      leave(client);
      expect(await failed.promise).toEqual([true, true]);
    });

    test('before its body was looked at aborts the signal, and the body cannot be read', async () => {
      const asked = deferred<Request>();
      const { port } = await start(async (request) => {
        asked.resolve(request);
        await aborted(request.signal);
        return new Response();
      });
      const client = new RawClient(port).send(...post(10));
      const request = await asked.promise;
      leave(client);
      await aborted(request.signal);
      await expect(request.text()).rejects.toBe(request.signal.reason);
    });

    test('while an answer comes aborts the signal and cancels the body', async () => {
      const answer = fedBody();
      const asked = deferred<AbortSignal>();
      const { port } = await start(async ({ signal }) => {
        asked.resolve(signal);
        return new Response(answer.body);
      });
      const client = new RawClient(port).send(...get);
      answer.feed('first');
      await client.until(/first/);
      const signal = await asked.promise;
      expect(signal.aborted).toBe(false);
      leave(client);
      expect(await answer.cancelled).toBe(signal.reason);
      expect(signal.aborted).toBe(true);
    });

    test('without having taken what there is cancels the body', async () => {
      const cancelled = deferred<unknown>();
      const chunk = new Uint8Array(1024 * 1024);
      const { port } = await start(
        async () =>
          new Response(
            new ReadableStream({ pull: (to) => to.enqueue(chunk), cancel: (reason) => cancelled.resolve(reason) }),
          ),
      );
      const client = new RawClient(port).send(...get);
      await client.until(/\r\n\r\n/);
      client.socket.pause();
      leave(client);
      // One that has only ended its side still takes what was on its way.
      client.socket.resume();
      expect(await cancelled.promise).toMatchObject({ name: 'AbortError' });
    });

    test('aborts all the requests that it had sent at once', async () => {
      const signals: AbortSignal[] = [];
      const all = deferred();
      const { port } = await start(async ({ signal }) => {
        signals.push(signal);
        if (signals.length === 20) all.resolve();
        await aborted(signal);
        return new Response();
      });
      const client = new RawClient(port);
      for (let sent = 0; sent < 20; sent++) client.send(...get);
      await all.promise;
      expect(signals.map((signal) => signal.aborted)).not.toContain(true);
      leave(client);
      await Promise.all(signals.map(aborted));
    });
  });

  test('an answer that comes after the client has gone is cancelled', async () => {
    const answer = fedBody();
    const asked = deferred<AbortSignal>();
    const { port } = await start(async ({ signal }) => {
      asked.resolve(signal);
      await aborted(signal);
      return new Response(answer.body);
    });
    const client = new RawClient(port).send(...get);
    const signal = await asked.promise;
    client.reset();
    expect(await answer.cancelled).toBe(signal.reason);
  });

  test('what fails because the client has gone is not reported', async () => {
    const over = deferred();
    const asked = deferred<AbortSignal>();
    const { port, drain } = await start(async ({ signal }) => {
      asked.resolve(signal);
      await aborted(signal);
      over.resolve();
      throw new DOMException('This operation was aborted', 'AbortError');
    });
    const client = new RawClient(port).send(...get);
    await asked.promise;
    client.reset();
    await over.promise;
    await drain();
  });

  describe('the signal stays as it is', () => {
    /** Has `ask` send requests, and returns how many came, and how many of their signals have aborted by the very end. */
    async function after(
      handler: Handler,
      ask: (port: number) => Promise<unknown>,
    ): Promise<{ requests: number; aborts: number }> {
      // Whole requests: a signal that nobody keeps alive aborts for nobody.
      const requests: Request[] = [];
      let aborts = 0;
      const { port, drain } = await start((request) => {
        requests.push(request);
        request.signal.addEventListener('abort', () => aborts++);
        return handler(request);
      });
      await ask(port);
      await drain();
      expect(requests.filter(({ signal }) => signal.aborted)).toHaveLength(aborts);
      return { requests: requests.length, aborts };
    }
    const bodies: [string, Handler][] = [
      ['read the body', async (request) => new Response(await request.text())],
      ['did not read the body', async () => new Response('answer')],
      ['answer without a body', async () => new Response(null, { status: 204 })],
      ['answer with the body', async ({ body }) => new Response(body)],
    ];

    test.each(bodies)('after 100 requests on one connection that %s', async (_, handler) => {
      const outcome = await after(handler, async (port) => {
        const agent = new Agent({ keepAlive: true, maxSockets: 1 });
        for (let sent = 0; sent < 100; sent++)
          await new Promise<void>((resolve, reject) => {
            const options = { port, path, method: sent % 3 ? 'POST' : 'GET', agent, host: '127.0.0.1' };
            httpRequest(options, (answer) => void answer.on('end', resolve).resume())
              .on('error', reject)
              .end(sent % 3 ? 'some body' : undefined);
          });
        agent.destroy();
      });
      expect(outcome).toEqual({ requests: 100, aborts: 0 });
    });

    test.each(bodies)('after 100 requests at once on one connection that %s', async (_, handler) => {
      const outcome = await after(handler, async (port) => {
        const client = new RawClient(port);
        for (let sent = 0; sent < 49; sent++) client.send(...get).send(...post());
        client.send(...head).send(...post(5, 'connection: close'));
        await client.closed;
        expect(client.said.match(/HTTP\/1.1 20[04] /g)).toHaveLength(100);
      });
      expect(outcome).toEqual({ requests: 100, aborts: 0 });
    });

    test.each(bodies)('after 100 requests on 100 connections that %s', async (_, handler) => {
      const outcome = await after(handler, (port) =>
        Promise.all(
          Array.from({ length: 100 }, async (_each, sent) => {
            const client = new RawClient(port);
            if (sent % 2) await client.send(...post(5, 'connection: close')).closed;
            else {
              await client.send(...(sent % 4 ? head : get)).until(/\r\n\r\n/);
              // It has read the head only; it may leave before the body is on its way.
              if (sent % 4 === 0) await client.until(/\r\n0\r\n|answer|HTTP\/1.1 204|content-length: 0/i);
              client.socket.end();
              await client.closed;
            }
          }),
        ),
      );
      expect(outcome).toEqual({ requests: 100, aborts: 0 });
    });
  });
});
