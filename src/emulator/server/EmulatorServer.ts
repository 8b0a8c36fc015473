import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Subscription } from 'rxjs';
import type { Emulator as Core } from '../index.js';
import { corsHeaders, type CorsOption } from './cors.js';
import { readBody } from './readBody.js';
import { writeAnswer } from './writeAnswer.js';

/** Where to listen. */
export interface ListenOptions {
  /**
   * The port; 0 takes any free port.
   * @defaultValue 0
   */
  readonly port?: number;
  /**
   * The address to bind. Any address but a loopback address lets other machines on the network run the handlers.
   * @defaultValue `'127.0.0.1'`
   */
  readonly host?: string;
  /**
   * Whether pages of other origins may call the emulator. `true` lets in every origin; a string or a list lets in only
   * the origins it names. The service itself sends no CORS headers.
   * @defaultValue false
   */
  readonly cors?: CorsOption;
}

/** The HTTP server around an emulator's model. */
export interface EmulatorServer {
  /** Such as `http://127.0.0.1:41234`. */
  readonly url: string;
  readonly port: number;
  /** Ends every connection, including held requests. Resolves when the port is free. */
  close(): Promise<void>;
}

/** Starts a server; rejects if the address cannot be bound. */
export async function startServer(
  core: Core,
  { port = 0, host = '127.0.0.1', cors = false }: ListenOptions,
): Promise<EmulatorServer> {
  const server = createServer((request, response) => {
    void handleRequest(core, cors, request, response);
  });
  // Clients keep connections open for longer than Node's default of five seconds. If the server closed a connection just
  // as a request arrived, the client would see a network failure.
  server.keepAliveTimeout = 65_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const address = server.address() as AddressInfo; // a server that listens on a port has one
  const name = host.includes(':') ? `[${host}]` : host;
  return {
    url: `http://${name}:${address.port}`,
    port: address.port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Answers one HTTP request from the model; a client that disconnects unsubscribes from the answer. */
async function handleRequest(
  core: Core,
  cors: CorsOption,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const allowed = corsHeaders(cors, request.headers);
  if (request.method === 'OPTIONS' && cors !== false) {
    response.writeHead(204, allowed).end();
    return;
  }
  const url = request.url ?? '/';
  const body = await readBody(request);
  if (!body) return;
  const control = url.startsWith('/__emulator/');
  if (control && request.headers.origin !== undefined && !('access-control-allow-origin' in allowed)) {
    // A page of another origin could switch faults on without reading the answer, so the request itself is refused.
    response.writeHead(403, { ...allowed, 'content-type': 'text/plain' }).end();
    return;
  }
  if (!control && !url.startsWith('/v2/')) {
    response.writeHead(404, { ...allowed, 'content-type': 'application/json' }).end('{"message":"Not Found"}');
    return;
  }
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name, String(value ?? '')]),
  );
  const answering = new Subscription();
  response.on('close', () => answering.unsubscribe());
  answering.add(
    core.handle({ method: request.method ?? 'GET', url, headers, ...body }).subscribe({
      next: (answer) => answering.add(writeAnswer(response, answer, allowed)),
      // Reset the connection, as a broken network does, instead of closing it in order.
      error: () => request.socket.resetAndDestroy(),
    }),
  );
}
