import { createServer, type Server } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Server as TcpServer } from 'node:net';
import { once } from 'node:events';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import axios from 'axios';
import { firstValueFrom, of, ReplaySubject } from 'rxjs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createRunpod, runpod } from '../../src/index.js';
import { KEY, clientNames, errorOf, wire, type ClientName } from '../support/wire.js';
import type { Answer } from '../support/scriptedServer.js';

const JOB = '{"id":"job-1","status":"COMPLETED","output":"héllo"}';
const request = { input: { x: 1 } };

/** Node's `fetch` and axios's adapter for Node's http decode by themselves, and differ from the rest here and there. */
const decodeThemselves: readonly ClientName[] = ['fetch', 'own axios, http adapter'];

async function listen(server: Server | TcpServer): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v2`;
}

/** A server whose answers never end. `closed` resolves when a client has closed its connection. */
async function endlessServer(headers: Record<string, string> = {}) {
  const part = Buffer.alloc(64 * 1024, ' ');
  let closed = (): void => undefined;
  const closing = new Promise<void>((resolve) => (closed = resolve));
  let requests = 0;
  const server = createServer((_, response) => {
    requests++;
    response.on('close', closed).on('error', () => undefined);
    response.writeHead(200, { 'content-type': 'application/json', ...headers });
    const write = (): void => {
      if (!response.destroyed) response.write(part, () => setImmediate(write));
    };
    write();
  });
  return { baseUrl: await listen(server), closed: closing, requests: () => requests };
}

/** A server that answers each request with these bytes, and calls a function once those before it are written. */
async function rawServer(...answer: (string | Buffer | (() => void))[]) {
  const server = createTcpServer((socket) => {
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    let received = '';
    socket.on('data', (data) => {
      received += data.toString('latin1');
      const [head = '', body] = received.split('\r\n\r\n');
      const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
      if (body === undefined || body.length < length) return;
      received = '';
      const next = (at: number): void => {
        const part = answer[at];
        if (typeof part === 'function') part();
        else if (part !== undefined) socket.write(part, () => setImmediate(next, at + 1));
      };
      next(0);
    });
  });
  return listen(server);
}

const FINAL = `HTTP/1.1 200 OK\r\ncontent-length: ${Buffer.byteLength(JOB)}\r\n\r\n${JOB}`;

describe.each(clientNames)('%s', (name) => {
  describe('an answer larger than maxResponseBytes', () => {
    it('S25 ends a read with an error that says so, closes the connection, and is not asked for again', async () => {
      const server = await endlessServer();
      const { endpoint, leaping } = await wire(name, {}, { baseUrl: server.baseUrl, maxResponseBytes: 1_000_000 });
      leaping();
      const error = await errorOf(endpoint.watch('job-1'));
      expect(error).toMatchObject({
        code: 'response',
        jobId: 'job-1',
        retryable: false,
        message: expect.stringMatching(/answer is larger than 1000000 bytes.*maxResponseBytes/) as unknown,
      });
      await server.closed;
      expect(server.requests()).toBe(1);
    });

    it('S1 S25 makes a submission unknown, with the reason as its cause', async () => {
      const server = await endlessServer();
      const { endpoint } = await wire(name, {}, { baseUrl: server.baseUrl, maxResponseBytes: 1_000_000 });
      expect(await errorOf(endpoint.run(request))).toMatchObject({
        code: 'submission_unknown',
        accepted: 'unknown',
        message: expect.stringMatching(/larger than 1000000 bytes/) as unknown,
        cause: { code: 'response' },
      });
      await server.closed;
      expect(server.requests()).toBe(1);
    });

    it('S25 is cut off by its length, where the length is said', async () => {
      const server = await endlessServer({ 'content-length': '100000000' });
      const { endpoint } = await wire(name, {}, { baseUrl: server.baseUrl, maxResponseBytes: 1_000_000, retry: false });
      expect(await errorOf(endpoint.status('job-1'))).toMatchObject({ code: 'response' });
      await server.closed;
    });

    it('S25 is cut off while it is decoded', async () => {
      const bomb: Answer = {
        headers: { 'content-encoding': 'gzip' },
        parts: [gzipSync(Buffer.alloc(20_000_000, ' '))],
      };
      const { endpoint } = await wire(name, { status: bomb }, { maxResponseBytes: 1_000_000, retry: false });
      expect(await errorOf(endpoint.status('job-1'))).toMatchObject({
        code: 'response',
        message: expect.stringMatching(/larger than 1000000 bytes/) as unknown,
      });
    });

    it('S2 S25 may pass where a gateway has made it', async () => {
      const page: Answer = { status: 502, body: ' '.repeat(2_000) };
      const { endpoint } = await wire(name, { health: page }, { maxResponseBytes: 1_000 });
      // axios over fetch does not tell the status.
      expect(await errorOf(endpoint.health())).toMatchObject({ code: 'response', retryable: true });
    });
  });

  it('S25 counts bytes, not characters, and reads as many as are allowed', async () => {
    const body = JSON.stringify({ id: 'job-1', status: 'COMPLETED', output: 'é'.repeat(1_000) });
    const bytes = Buffer.byteLength(body);
    const exact = await wire(name, { status: { body } }, { maxResponseBytes: bytes });
    expect(await firstValueFrom(exact.endpoint.status('job-1'))).toMatchObject({ status: 'COMPLETED' });
    const less = await wire(name, { status: { body } }, { maxResponseBytes: bytes - 1, retry: false });
    expect(await errorOf(less.endpoint.status('job-1'))).toMatchObject({ code: 'response' });
  });

  const gzip = gzipSync(JOB);
  const readable: Readonly<Record<string, readonly [coding: string, data: Buffer]>> = {
    gzip: ['gzip', gzip],
    'gzip, by another name': ['GZIP', gzip],
    'gzip, by its old name': ['x-gzip', gzip],
    'gzip with zeros after it': ['gzip', Buffer.concat([gzip, Buffer.alloc(10)])],
    deflate: ['deflate', deflateSync(JOB)],
    'deflate without the header of zlib': ['deflate', deflateRawSync(JOB)],
    br: ['br', brotliCompressSync(JOB)],
    identity: ['identity', Buffer.from(JOB)],
  };

  it.each(Object.entries(readable))('S25 decodes %s, which was not asked for', async (_, [coding, data]) => {
    const answer: Answer = { headers: { 'content-encoding': coding }, parts: [data] };
    const { endpoint } = await wire(name, { run: answer, status: answer });
    expect(await firstValueFrom(endpoint.run(request))).toMatchObject({ id: 'job-1', output: 'héllo' });
    expect(await firstValueFrom(endpoint.status('job-1'))).toMatchObject({ id: 'job-1', output: 'héllo' });
  });

  it.each([
    ['that is cut off', 'gzip', gzip.subarray(0, 30)],
    ['whose end is damaged', 'br', brotliCompressSync(JOB).subarray(0, 20)],
    ['that is no gzip at all', 'gzip', Buffer.from(JOB)],
    ['that is no deflate', 'deflate', Buffer.from([0x78, 0x9c, 1, 2, 3, 4])],
    ['with rubbish after it', 'gzip', Buffer.concat([gzip, Buffer.from('rubbish')])],
    ['that is empty', 'gzip', Buffer.alloc(0)],
    ['in a coding that nobody knows', 'sleight', Buffer.from(JOB)],
    ['in zstd, where it is not decoded', 'zstd', Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x04, 0x00, 0x99])],
    ['with more codings than can be', 'gzip, '.repeat(50) + 'gzip', gzip],
  ])('S1 S25 a submission is unknown after an answer %s', async (_, coding, data) => {
    const answer: Answer = { headers: { 'content-encoding': coding }, parts: [data] };
    const { endpoint, server } = await wire(name, { run: answer });
    expect(await errorOf(endpoint.run(request))).toMatchObject({ code: 'submission_unknown', accepted: 'unknown' });
    expect(server.seen()).toHaveLength(1);
  });

  it('S25 names a coding that it does not know', async () => {
    const { endpoint } = await wire(
      name,
      { status: { headers: { 'content-encoding': 'sleight' }, body: JOB } },
      { retry: false },
    );
    expect(await errorOf(endpoint.status('job-1'))).toMatchObject({
      code: 'response',
      retryable: true,
      message: expect.stringMatching(/content coding "sleight", which cannot be decoded/) as unknown,
    });
  });

  it('S25 gives an answer without a body an empty text, whatever coding it names', async () => {
    const { endpoint } = await wire(name, { health: { status: 204, headers: { 'content-encoding': 'gzip' } } });
    expect(await firstValueFrom(endpoint.request('health'))).toMatchObject({ status: 204, text: '' });
  });

  it.runIf(!decodeThemselves.includes(name))('S25 decodes several codings, each within the bound', async () => {
    const both = gzipSync(brotliCompressSync(JOB));
    const answer: Answer = { headers: { 'content-encoding': 'br, gzip' }, parts: [both] };
    const { endpoint } = await wire(name, { status: answer });
    expect(await firstValueFrom(endpoint.status('job-1'))).toMatchObject({ output: 'héllo' });
    const inner = gzipSync(brotliCompressSync(Buffer.alloc(20_000_000)));
    const bomb: Answer = { headers: { 'content-encoding': 'br, gzip' }, parts: [inner] };
    const bounded = await wire(name, { status: bomb }, { maxResponseBytes: 1_000_000, retry: false });
    expect(await errorOf(bounded.endpoint.status('job-1'))).toMatchObject({ code: 'response' });
  });

  it.each([
    // Only time ends the wait for the bytes that do not come.
    ['longer', Buffer.byteLength(JOB) + 10, 120_000],
    ['shorter', Buffer.byteLength(JOB) - 10, 0],
  ])('S1 a submission is unknown after an answer that is said to be %s than it is', async (_, length, ms) => {
    const sent$ = new ReplaySubject<void>(1);
    const baseUrl = await rawServer(
      `HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: ${length}\r\n\r\n${JOB}`,
      () => sent$.next(),
    );
    const { endpoint, clock } = await wire(name, {}, { baseUrl });
    const failed = errorOf(endpoint.run(request));
    await firstValueFrom(sent$);
    clock.advance(ms);
    expect(await failed).toMatchObject({ code: 'submission_unknown' });
  });

  // Node's `fetch` breaks the connection on a 100 that it did not ask for.
  describe.runIf(name !== 'fetch')('an interim answer that was not asked for', () => {
    const interim = 'HTTP/1.1 100 Continue\r\n\r\n';
    it.each([
      ['in a packet of its own', [interim, FINAL]],
      ['in one packet with the answer', [interim + FINAL]],
      ['byte by byte', [...(interim + FINAL.slice(0, 20))].concat(FINAL.slice(20))],
      ['several times', [interim, interim + interim, FINAL]],
      ['with headers', ['HTTP/1.1 103 Early Hints\r\nlink: </a>\r\nx: 1\r\n\r\n', FINAL]],
      ['of a kind that nobody knows', ['HTTP/1.1 199 Odd\r\n\r\n' + FINAL]],
    ])('S25 is left out: %s', async (_, parts) => {
      const { endpoint } = await wire(name, {}, { baseUrl: await rawServer(...parts) });
      expect(await firstValueFrom(endpoint.run(request))).toMatchObject({ id: 'job-1', output: 'héllo' });
      // The same connection is used again.
      expect(await firstValueFrom(endpoint.status('job-1'))).toMatchObject({ id: 'job-1', output: 'héllo' });
    });
  });
});

describe('S25 the smaller bound of an axios instance', () => {
  it.each(['http', 'fetch'] as const)('holds, over its %s adapter', async (adapter) => {
    const server = await endlessServer();
    const own = axios.create({ adapter, maxContentLength: 1_000 });
    const endpoint = runpod({ apiKey: KEY, baseUrl: server.baseUrl, axios: own, retry: false }).endpoint('demo');
    expect(await errorOf(endpoint.status('job-1'))).toMatchObject({
      code: 'response',
      message: expect.stringMatching(/larger than 1000 bytes \(option maxContentLength/) as unknown,
    });
    // Over `fetch`, axios stops reading, and the platform closes the connection when it collects its garbage.
    if (adapter === 'http') await server.closed;
  });

  it('gives way where it is larger', async () => {
    const server = await endlessServer();
    const own = axios.create({ adapter: 'http', maxContentLength: 10_000_000 });
    const client = runpod({ apiKey: KEY, baseUrl: server.baseUrl, axios: own, retry: false, maxResponseBytes: 1_000 });
    expect((await errorOf(client.endpoint('demo').status('job-1'))).message).toMatch(/1000 bytes.*maxResponseBytes/);
  });
});

describe('maxResponseBytes', () => {
  it('S25 bounds the text of a transport that does not count bytes', async () => {
    const transport = () => of({ status: 200, headers: {}, text: JOB });
    const client = createRunpod({ apiKey: KEY, transport, maxResponseBytes: 10 });
    expect(await errorOf(client.endpoint('demo').run(request))).toMatchObject({
      code: 'submission_unknown',
      message: expect.stringMatching(/larger than 10 bytes/) as unknown,
    });
  });

  it('S25 is given to the transport, and is 64 MiB by default', async () => {
    const given: unknown[] = [];
    const transport = (asked: { readonly maxResponseBytes?: number }) => {
      given.push(asked.maxResponseBytes);
      return of({ status: 200, headers: {}, text: JOB });
    };
    await firstValueFrom(createRunpod({ apiKey: KEY, transport }).endpoint('demo').status('job-1'));
    await firstValueFrom(
      createRunpod({ apiKey: KEY, transport, maxResponseBytes: 1_000 }).endpoint('demo').status('job-1'),
    );
    expect(given).toEqual([64 * 1024 * 1024, 1_000]);
  });

  it.each([0, -1, NaN, Infinity, 1.5, '64MB'])('S20 must not be %j', (maxResponseBytes) => {
    expect(() => createRunpod({ transport: () => of(), maxResponseBytes: maxResponseBytes as number })).toThrow(
      /maxResponseBytes is .*: it must be a whole number of at least 1/,
    );
  });
});
