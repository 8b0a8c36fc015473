import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import express from 'express';
// @ts-expect-error It has no types of its own, and the same API where we use it.
import express4 from 'express4';
import fastify from 'fastify';
import { Hono } from 'hono';
import { onTestFinished } from 'vitest';
import { toExpress, toFastify, toHono, toNode, type Handler } from 'runpod-rx/server';

/** A server on 127.0.0.1, which ends with the test. */
export interface Listening {
  readonly port: number;
  readonly origin: string;
  /** Takes no more requests, and resolves when every connection has closed. */
  drain(): Promise<void>;
}

/** A framework with a handler at `/api/runpod`. */
export interface Host {
  readonly name: string;
  start(handler: Handler): Promise<Listening>;
}

/** Both majors of Express. */
export const expresses: readonly (readonly [name: string, make: typeof express])[] = [
  ['Express 4', express4 as typeof express],
  ['Express 5', express],
];

export const hosts: readonly Host[] = [
  { name: 'Node', start: (handler) => listen(createServer(toNode(handler))) },
  ...expresses.map(([name, make]) => ({
    name,
    start: (handler: Handler) => listen(createServer(make().use('/api/runpod', toExpress(handler)))),
  })),
  {
    name: 'Fastify',
    start: async (handler) => {
      const app = fastify();
      void app.register(toFastify(handler), { prefix: '/api/runpod' });
      await app.ready();
      return listen(app.server);
    },
  },
  {
    name: 'Hono',
    start: (handler) => {
      const app = new Hono();
      app.all('/api/runpod/*', toHono(handler));
      return listen(createServer(toNode(async (request) => app.fetch(request))));
    },
  },
];

export async function listen(server: Server): Promise<Listening> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  const closed = new Promise<void>((resolve) => server.on('close', () => resolve()));
  // Connections that wait for another request must not end by themselves.
  server.keepAliveTimeout = 100_000;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  });
  const { port } = server.address() as AddressInfo;
  return {
    port,
    origin: `http://127.0.0.1:${port}`,
    drain: async () => {
      server.close();
      server.closeIdleConnections();
      await closed;
    },
  };
}
