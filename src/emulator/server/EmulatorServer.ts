import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Subscription } from 'rxjs';
import type { Emulator as Core } from '../index.js';
import { corsHeaders, type CorsOption } from './cors.js';
import { readBody } from './readBody.js';
import { writeAnswer } from './writeAnswer.js';

/** Where to listen. */
export interface ListenOptions {
  /**
   * The port; 0 is any that is free.
   * @defaultValue 0
   */
  readonly port?: number;
  /**
   * The address to bind. Anything but a loopback address lets others on the network run the handlers.
   * @defaultValue `'127.0.0.1'`
   */
  readonly host?: string;
  /**
   * Whether pages of other origins may call. `true` lets in every origin, a string or a list only those. The service
   * itself sends no CORS headers.
   * @defaultValue false
   */
  readonly cors?: CorsOption;
}

/** The HTTP server around an emulator's model. */
export class EmulatorServer {
  private constructor(
    private readonly server: Server,
    /** Such as `http://127.0.0.1:41234`. */
    readonly url: string,
    readonly port: number,
  ) {}

  static async listen(
    core: Core,
    { port = 0, host = '127.0.0.1', cors = false }: ListenOptions,
  ): Promise<EmulatorServer> {
    const server = createServer((request, response) => {
      void serve(core, cors, request, response);
    });
    // Clients keep connections for longer than Node's five seconds; closing under a request looks like a lost one.
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
    return new EmulatorServer(server, `http://${name}:${address.port}`, address.port);
  }

  /** Ends every connection, held requests too. Resolves when the port is free. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.server.close(() => resolve());
      this.server.closeAllConnections();
    });
  }
}

async function serve(core: Core, cors: CorsOption, request: IncomingMessage, response: ServerResponse): Promise<void> {
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
    // No page of another origin shall switch faults on, even without reading the answer.
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
  const open = new Subscription();
  response.on('close', () => open.unsubscribe());
  open.add(
    core.handle({ method: request.method ?? 'GET', url, headers, ...body }).subscribe({
      next: (answer) => open.add(writeAnswer(response, answer, allowed)),
      // A reset rather than a polite end, as a broken network would do it.
      error: () => request.socket.resetAndDestroy(),
    }),
  );
}
