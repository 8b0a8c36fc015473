import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import { createServer as createTcpServer, type AddressInfo, type Server as TcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { selfSigned } from '../support/certificate.js';
import { proxyServer } from '../support/proxyServer.js';
import { scriptedServer } from '../support/scriptedServer.js';
import { clientNames, errorOf, wire } from '../support/wire.js';

const HOST = 'api.example.test';
const certificate = selfSigned(HOST);
const request = { input: { x: 1 } };
const source = (path: string) => fileURLToPath(new URL(`../../src/${path}`, import.meta.url));

async function listen(server: Server | TcpServer): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

/** A server with TLS that accepts every job, and counts the requests. */
async function secureServer(options: object = {}) {
  let requests = 0;
  const server = createServer({ ...certificate, ...options }, (_, response) => {
    requests++;
    response.end('{"id":"job-1","status":"IN_QUEUE"}');
  });
  server.on('tlsClientError', () => undefined);
  return { port: await listen(server), requests: () => requests };
}

// `fetch` does not tell how far it came.
describe.each(clientNames.filter((name) => name !== 'fetch'))('%s', (name) => {
  // Node's http gives the same errors as for an open connection.
  const tellsHandshakes = name !== 'own axios, http adapter';
  const connectFails = async (baseUrl: string) => {
    const { endpoint, activity, leaping } = await wire(name, {}, { baseUrl });
    leaping();
    const error = await errorOf(endpoint.run(request));
    expect(error).toMatchObject({ code: 'connection', phase: 'connect', accepted: 'no', retryable: true });
    expect(activity.filter(({ type }) => type === 'request')).toHaveLength(4);
    return error;
  };

  it('S1 S27 a certificate that is not trusted counts as never connected', async () => {
    const { port, requests } = await secureServer();
    expect((await connectFails(`https://127.0.0.1:${port}/v2`)).message).toMatch(/self-signed certificate/);
    expect(requests()).toBe(0);
  });

  it.runIf(tellsHandshakes)('S1 S27 a server without TLS counts as never connected', async () => {
    const server = await scriptedServer();
    await connectFails(`https://127.0.0.1:${server.port}/v2`);
    expect(server.seen()).toEqual([]);
    await server.close();
  });

  it.runIf(tellsHandshakes)('S1 S27 a reset in the TLS handshake counts as never connected', async () => {
    const port = await listen(
      createTcpServer((socket) => {
        socket.on('error', () => undefined).once('data', () => socket.resetAndDestroy());
      }),
    );
    await connectFails(`https://127.0.0.1:${port}/v2`);
  });

  it('S1 S27 a server that hangs up in the TLS handshake counts as never connected', async () => {
    const port = await listen(
      createTcpServer((socket) => {
        socket.on('error', () => undefined).once('data', () => socket.end());
      }),
    );
    await connectFails(`https://127.0.0.1:${port}/v2`);
  });

  it.runIf(tellsHandshakes)('S1 S27 a server with other versions of TLS counts as never connected', async () => {
    const { port } = await secureServer({ maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'ALL:@SECLEVEL=0' });
    await connectFails(`https://127.0.0.1:${port}/v2`);
  });
});

describe('NODE_EXTRA_CA_CERTS', () => {
  const CLIENT = {
    'axios over undici': `runpod(options)`,
    undici: `createRunpod({ ...options, transport: undiciTransport() })`,
    fetch: `createRunpod({ ...options, transport: fetchTransport() })`,
  } as const;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'runpod-rx-certificates-'));
    await writeFile(join(folder, 'ca.pem'), certificate.cert);
    await build({
      stdin: {
        contents: `
          import { createRunpod, runpod } from ${JSON.stringify(source('index.ts'))};
          import { undiciTransport } from ${JSON.stringify(source('undici.ts'))};
          import { fetchTransport } from ${JSON.stringify(source('fetch.ts'))};
          const options = { apiKey: 'key', baseUrl: process.env.BASE_URL, retry: false };
          const clients = { ${Object.entries(CLIENT)
            .map(([name, code]) => `${JSON.stringify(name)}: () => ${code}`)
            .join(', ')} };
          const client = clients[process.env.CLIENT]();
          client.endpoint('demo').run({ input: { x: 1 } }).subscribe({
            next: ({ id }) => console.log(id),
            error: (error) => console.log(error.message),
            complete: () => client.close().subscribe(),
          });
        `,
        resolveDir: fileURLToPath(new URL('../..', import.meta.url)),
      },
      alias: { '#adapter': source('http/transports/adapter.node.ts') },
      outfile: join(folder, 'program.cjs'),
      bundle: true,
      platform: 'node',
      format: 'cjs',
      logLevel: 'error',
    });
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  /** What the program prints, on both of its outputs. */
  async function run(client: keyof typeof CLIENT, baseUrl: string, more: Record<string, string> = {}) {
    const child = spawn(process.execPath, [join(folder, 'program.cjs')], {
      env: {
        PATH: process.env.PATH,
        NODE_EXTRA_CA_CERTS: join(folder, 'ca.pem'),
        CLIENT: client,
        BASE_URL: baseUrl,
        ...more,
      },
    });
    let printed = '';
    child.stdout.on('data', (data) => (printed += String(data)));
    child.stderr.on('data', (data) => (printed += String(data)));
    await once(child, 'close');
    return printed.trim();
  }

  it.each(Object.keys(CLIENT) as (keyof typeof CLIENT)[])(
    'S27 %s: trusts what it names, and Node warns of nothing',
    async (client) => {
      const { port } = await secureServer();
      expect(await run(client, `https://localhost:${port}/v2`)).toBe('job-1');
    },
  );

  it.each(['axios over undici', 'undici'] as const)(
    'S27 %s: trusts what it names at the end of a tunnel, and Node warns of nothing',
    async (client) => {
      const { port, requests } = await secureServer();
      const proxy = await proxyServer(port);
      const environment = { HTTPS_PROXY: `http://user:secret@127.0.0.1:${proxy.port}` };
      expect(await run(client, `https://${HOST}/v2`, environment)).toBe('job-1');
      expect(proxy.seen).toMatchObject([{ method: 'CONNECT', target: `${HOST}:443` }]);
      expect(requests()).toBe(1);
      await proxy.close();
    },
  );
});
