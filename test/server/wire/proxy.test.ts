/** The proxy behind every adapter, on real sockets, between a page's client and the emulator. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { createServer, type RequestListener, type Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import express from 'express';
// @ts-expect-error: the alias of an older version has no types
import express4 from 'express4';
import Fastify, { type FastifyInstance } from 'fastify';
import { Hono } from 'hono';
import { ReplaySubject, Subject, delayWhen, filter, firstValueFrom, lastValueFrom, take, tap, toArray } from 'rxjs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { isRunpodError, runpod, type Link, type Runpod, type RunpodOptions } from 'runpod-rx';
import { startEmulator, type ListeningEmulator } from 'runpod-rx/emulator';
import { createProxy, toExpress, toFastify, toHono, toNode, type Handler, type ProxyOptions } from 'runpod-rx/server';

/** Serves a handler at `/api/runpod`. */
type Serve = (handler: Handler) => Promise<Server>;

const onNode = async (listener: RequestListener): Promise<Server> => {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return server;
};

const onFastify = async (app: FastifyInstance, handler: Handler) => {
  app.register(toFastify(handler), { prefix: '/api/runpod' });
  onTestFinished(() => app.close());
  await app.listen({ port: 0, host: '127.0.0.1' });
  return app.server;
};

const ADAPTERS: Record<string, Serve> = {
  node: (handler) => onNode(toNode(handler)),
  'express 4': (handler) =>
    onNode((express4 as typeof express)().use('/api/runpod', toExpress(handler)) as RequestListener),
  'express 5': (handler) => onNode(express().use('/api/runpod', toExpress(handler)) as RequestListener),
  'express 5 behind express.json()': (handler) =>
    onNode(express().use(express.json()).use('/api/runpod', toExpress(handler)) as RequestListener),
  fastify: (handler) => onFastify(Fastify(), handler),
  hono: (handler) => {
    const app = new Hono();
    app.all('/api/runpod/*', toHono(handler));
    return onNode(toNode((request) => Promise.resolve(app.fetch(request))));
  },
};

interface Site {
  readonly emulator: ListeningEmulator;
  readonly client: Runpod;
  readonly page: Runpod;
  readonly port: number;
  readonly server: Server;
  /** What the service was asked for, such as `run 200`. */
  asked(...operations: string[]): string[];
}

async function site(
  serve: Serve,
  { links = [], ...options }: Partial<ProxyOptions> & Pick<RunpodOptions, 'links'> = {},
): Promise<Site> {
  const emulator = await startEmulator({
    endpoints: {
      demo: { handler: ({ input }, { delay }) => (input.forever ? delay(3_600_000) : { echo: input }) },
      words: {
        handler: async function* () {
          await Promise.resolve();
          yield* ['one', 'two', 'three'];
        },
      },
    },
    keys: ['test-key-placeholder'],
  });
  onTestFinished(() => emulator.close());
  const client = runpod({ baseUrl: emulator.baseUrl, apiKey: 'test-key-placeholder', links });
  onTestFinished(async () => {
    await firstValueFrom(client.close());
  });
  const handler = createProxy({
    client,
    endpoints: {
      demo: { operations: ['run', 'runsync', 'status', 'stream', 'cancel', 'health'] },
      words: { operations: ['run', 'status', 'stream', 'cancel'] },
    },
    user: () => 'ann',
    ...options,
  });
  const server = await serve(handler);
  const { port } = server.address() as AddressInfo;
  const page = runpod({ baseUrl: `http://127.0.0.1:${port}/api/runpod`, apiKey: '' });
  onTestFinished(async () => {
    await firstValueFrom(page.close());
  });
  return {
    emulator,
    client,
    page,
    port,
    server,
    asked: (...operations) =>
      emulator
        .requests()
        .filter(({ operation = '' }) => !operations.length || operations.includes(operation))
        .map(({ operation, status }) => `${operation} ${status ?? 'open'}`),
  };
}

/** The user whom the middleware of a framework has found, as docs/proxy.md has it. */
const users = new AsyncLocalStorage<string | undefined>();

/** The adapters behind middleware that knows the user by the framework's own request. */
const WITH_SESSIONS: Record<string, Serve> = {
  express: (handler) => {
    const app = express();
    app.use(
      '/api/runpod',
      (request, _response, next) => {
        users.run(request.get('x-session'), next);
      },
      toExpress(handler),
    );
    return onNode(app as RequestListener);
  },
  fastify: (handler) => {
    const app = Fastify();
    app.addHook('onRequest', (request, _reply, done) => {
      users.run(request.headers['x-session'] as string | undefined, done);
    });
    return onFastify(app, handler);
  },
  hono: (handler) => {
    const app = new Hono();
    app.use('/api/runpod/*', (context, next) => users.run(context.req.header('x-session'), next));
    app.all('/api/runpod/*', toHono(handler));
    return onNode(toNode((request) => Promise.resolve(app.fetch(request))));
  },
};

describe.each(Object.entries(WITH_SESSIONS))('the sessions of %s', (_, serve) => {
  test('say who sends a request, by an AsyncLocalStorage', async () => {
    const asked: unknown[] = [];
    const { port } = await site(serve, {
      user: () => users.getStore(),
      endpoints: {
        demo: {
          operations: ['run', 'status'],
          // After the body was read.
          input: (input, user) => {
            asked.push([user, users.getStore()]);
            return input;
          },
        },
      },
    });
    const ask = async (path: string, user?: string, init: RequestInit = {}) => {
      const headers = { 'content-type': 'application/json', ...(user && { 'x-session': user }) };
      const answer = await fetch(`http://127.0.0.1:${port}/api/runpod/demo/${path}`, { ...init, headers });
      return { code: answer.status, id: ((await answer.json()) as { readonly id?: string }).id };
    };
    const submission = { method: 'POST', body: JSON.stringify({ input: { a: 1 } }) };
    const [anns, bobs] = await Promise.all([ask('run', 'ann', submission), ask('run', 'bob', submission)]);
    expect(asked).toContainEqual(['ann', 'ann']);
    expect(asked).toContainEqual(['bob', 'bob']);
    expect(await ask(`status/${anns.id}`, 'ann')).toEqual({ code: 200, id: anns.id });
    expect(await ask(`status/${bobs.id}`, 'ann')).toEqual({ code: 404, id: undefined });
    expect(await ask('run', undefined, submission)).toEqual({ code: 401, id: undefined });
  });
});

describe.each(Object.entries(ADAPTERS))('%s', (_, serve) => {
  test('a page runs a job, and has its output', async () => {
    const { page } = await site(serve);
    expect(await firstValueFrom(page.endpoint('demo').job({ input: { a: 1 } }).output$)).toEqual({ echo: { a: 1 } });
  });

  test('a page waits for a job by /runsync', async () => {
    const { page } = await site(serve);
    const end = await firstValueFrom(page.endpoint('demo').runSync({ input: { a: 1 } }));
    expect(end).toMatchObject({ status: 'COMPLETED', output: { echo: { a: 1 } } });
  });

  test('a page reads a stream', async () => {
    const { page } = await site(serve);
    const chunks$ = page.endpoint('words').job({ input: { a: 1 } }).chunks$;
    expect(await lastValueFrom(chunks$.pipe(toArray()))).toEqual(['one', 'two', 'three']);
  });

  test('a page cancels its job, without a body', async () => {
    const { page, emulator } = await site(serve);
    const endpoint = page.endpoint('demo');
    const { id } = await firstValueFrom(endpoint.run({ input: { forever: true } }));
    expect((await firstValueFrom(endpoint.cancel(id))).status).toBe('CANCELLED');
    expect(emulator.jobs().map(({ status }) => status)).toEqual(['CANCELLED']);
  });

  test('a page reads the health', async () => {
    const { page } = await site(serve);
    expect((await firstValueFrom(page.endpoint('demo').health())).jobs).toBeDefined();
  });

  test('a refusal says that nothing was accepted', async () => {
    const { page, asked } = await site(serve, { user: () => undefined });
    const error: unknown = await firstValueFrom(page.endpoint('demo').run({ input: { a: 1 } })).catch(
      (one: unknown) => one,
    );
    expect(isRunpodError(error, 'authentication') && error.accepted).toBe('no');
    expect(asked('run')).toEqual([]);
  });

  test('a body over the bound is 413, and nothing is sent', async () => {
    const { page, asked } = await site(serve);
    const text = 'x'.repeat(2 ** 21);
    const error: unknown = await firstValueFrom(page.endpoint('demo').run({ input: { text } })).catch(
      (one: unknown) => one,
    );
    expect(isRunpodError(error) && error.accepted).toBe('no');
    expect(asked('run')).toEqual([]);
  });

  test('S29 a hundred requests that complete cancel nothing; a hundred that are reset cancel one job each', async () => {
    const { page, emulator, client, port, asked } = await site(serve);
    const endpoint = page.endpoint('demo');
    for (let round = 0; round < 100; round++) await firstValueFrom(endpoint.run({ input: { round } }));
    await firstValueFrom(client.settled());
    expect(asked('cancel')).toEqual([]);

    const body = JSON.stringify({ input: { forever: true } });
    const head = `POST /api/runpod/demo/runsync HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
    const accepted = emulator.requests$.pipe(
      filter(({ operation, status }) => operation === 'run' && status === 200),
      take(100),
      toArray(),
    );
    const all = lastValueFrom(accepted);
    const sockets = Array.from({ length: 100 }, () => connect(port, '127.0.0.1').on('error', () => undefined));
    for (const socket of sockets) socket.write(head + body);
    await all;
    for (const socket of sockets) socket.resetAndDestroy();
    await expect.poll(() => asked('cancel').filter((one) => one === 'cancel 200').length).toBe(100);
    await firstValueFrom(client.settled());
    expect(asked('cancel')).toHaveLength(100);
    expect(emulator.jobs().filter(({ status }) => status === 'CANCELLED')).toHaveLength(100);
  });

  test('S29 a page that is closed during /run has its job cancelled, once', async () => {
    const gate = new ReplaySubject<void>(1);
    const accepted = new Subject<void>();
    const holdAnswers: Link = (request, next) =>
      request.operation === 'run'
        ? next(request).pipe(
            tap(() => accepted.next()),
            delayWhen(() => gate),
          )
        : next(request);
    const { emulator, client, port, server, asked } = await site(serve, { links: [holdAnswers] });
    const count = 20;
    const all = lastValueFrom(accepted.pipe(take(count)));
    const closed = new Subject<void>();
    server.on('connection', (socket: Socket) => socket.once('close', () => closed.next()));
    const sockets = Array.from({ length: count }, () => connect(port, '127.0.0.1').on('error', () => undefined));
    const body = JSON.stringify({ input: { forever: true } });
    for (const socket of sockets)
      socket.write(
        `POST /api/runpod/demo/run HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
    await all;
    const allClosed = lastValueFrom(closed.pipe(take(count)));
    for (const socket of sockets) socket.destroy();
    await allClosed;
    gate.next();
    await expect.poll(() => emulator.jobs().filter(({ status }) => status === 'CANCELLED').length).toBe(count);
    await firstValueFrom(client.settled());
    expect(asked('run')).toHaveLength(count);
    expect(asked('cancel')).toHaveLength(count);
  });
});
