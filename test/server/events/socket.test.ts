import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { firstValueFrom, last } from 'rxjs';
import { afterEach, expect, test } from 'vitest';
import { createRunpod, isTerminal } from 'runpod-rx';
import { eventNotices } from 'runpod-rx/events';
import { fetchTransport } from 'runpod-rx/fetch';
import { createProxy, type Handler } from 'runpod-rx/server';
import { createEmulator } from 'runpod-rx/testing';
import { headersOf } from '../proxy/support.js';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections();
});

/** The least that a handler needs of Node's server. */
async function answerBy(handler: Handler, message: IncomingMessage, response: ServerResponse): Promise<void> {
  const leaving = new AbortController();
  response.on('close', () => {
    leaving.abort();
  });
  const { method = 'GET', url = '/', headers } = message;
  const hasBody = method === 'POST';
  const request = new Request(`http://${headers.host ?? ''}${url}`, {
    method,
    headers: headers as Record<string, string>,
    signal: leaving.signal,
    ...(hasBody && { body: Readable.toWeb(message) as ReadableStream, duplex: 'half' }),
  });
  const answer = await handler(request);
  response.writeHead(answer.status, headersOf(answer));
  response.flushHeaders();
  const parts = answer.body?.getReader();
  response.on('close', () => void parts?.cancel().catch(() => undefined));
  for (let part = await parts?.read(); part && !part.done; part = await parts?.read()) response.write(part.value);
  response.end();
}

test('over real connections, the page has its events while its jobs run, and leaves with the last of them', async () => {
  let connected = (): void => undefined;
  const connection = new Promise<void>((resolve) => {
    connected = resolve;
  });
  // No job ends before the page is connected.
  const emulator = createEmulator({ endpoints: { demo: { handler: () => connection.then(() => 'done') } } });
  const client = createRunpod({ apiKey: 'key', transport: emulator.transport, limits: false });
  const handler = createProxy({
    client,
    events: true,
    endpoints: { demo: { operations: ['run', 'status', 'cancel'] } },
    user: () => 'ann',
  });
  const lines: string[] = [];
  const ends: Promise<void>[] = [];
  const server = createServer((message, response) => {
    if (message.url?.endsWith('/events')) connected();
    lines.push(`${message.method ?? ''} ${message.url ?? ''}`);
    ends.push(new Promise((resolve) => response.on('close', resolve)));
    void answerBy(handler, message, response).catch(() => response.destroy());
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const page = createRunpod({
    baseUrl: `${base}/api/runpod`,
    transport: fetchTransport(),
    notices: eventNotices(`${base}/api/runpod/events`, { headers: () => ({}) }),
  });
  const jobs = [1, 2, 3].map((nth) => firstValueFrom(page.endpoint('demo').runToEnd({ input: { nth } }).pipe(last())));
  const ended = await Promise.all(jobs);
  expect(ended.every((snapshot) => isTerminal(snapshot))).toBe(true);
  expect(ended.map(({ status }) => status)).toEqual(['COMPLETED', 'COMPLETED', 'COMPLETED']);
  expect(lines.filter((line) => line.endsWith('/events'))).toHaveLength(1);
  // The page has left: the server ends its side, too.
  await Promise.all(ends);
  await firstValueFrom(page.close());
  await firstValueFrom(client.close());
});
