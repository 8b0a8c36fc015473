import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { EmulatorKey } from '../EmulatorOptions.js';
import type { Emulator as Core } from '../index.js';
import type { Inspection } from '../inspect/Inspection.js';
import { Access } from './access.js';
import type { CorsOption } from './cors.js';
import { answerRequest } from './answerRequest.js';
import { Dashboard } from './dashboard/Dashboard.js';
import { bracketed } from './hostName.js';

/** Where to listen, and who may call. */
export interface ListenOptions {
  /**
   * The port; 0 takes any free port.
   * @defaultValue 0
   */
  readonly port?: number;
  /**
   * The address to bind; `'0.0.0.0'` and `'::'` bind all addresses of this machine, as containers need. Any address but a
   * loopback address lets everyone on the network run the handlers and read inputs and outputs, unless `keys` are set.
   * @defaultValue `'127.0.0.1'`
   */
  readonly host?: string;
  /**
   * The names of this machine that requests may be addressed to, besides `localhost`, loopback addresses and `host`. A
   * request with another name in its `Host` header is refused with 403, so that a web page cannot make its own name lead to
   * the emulator. `true` accepts every name. If `host` is not a loopback address, all IP addresses, names without a dot (as
   * those of containers) and the name of this machine are accepted, too.
   * @defaultValue `[]`
   */
  readonly hosts?: true | readonly string[];
  /**
   * The origins whose pages may call the emulator: `true` for every origin, or one origin, or a list. Requests from pages of
   * any other origin are refused with 403, before they have any effect. The service itself sends no CORS headers.
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

/** The loopback address to use for a server that is bound to all addresses. */
const LOOPBACK_OF: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' };

/** Starts a server; rejects if the address cannot be bound. */
export async function startServer(
  { core, inspection }: { readonly core: Core; readonly inspection: Inspection },
  {
    port = 0,
    host = '127.0.0.1',
    cors = false,
    hosts = [],
    keys,
  }: ListenOptions & { readonly keys?: readonly EmulatorKey[] },
): Promise<EmulatorServer> {
  const access = new Access({ host, cors, hosts });
  const dashboard = new Dashboard(inspection, core.requests$, keys);
  const server = createServer((request, response) => {
    void answerRequest({ core, dashboard, access, cors, keys }, request, response);
  });
  // Clients keep connections open for longer than Node's default of five seconds. If the server closed a connection just
  // as a request arrived, the client would see a network failure.
  server.keepAliveTimeout = 65_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host.replace(/^\[(.*)\]$/, '$1'), () => {
      server.off('error', reject);
      resolve();
    });
  });
  const address = server.address() as AddressInfo; // a server that listens on a port has one
  // A name stays as it was given: it is what certificates, logs and people know. A wildcard address is none to connect to.
  const reachable = LOOPBACK_OF[address.address] ?? (host === '' ? address.address : host);
  return {
    url: `http://${bracketed(reachable)}:${address.port}`,
    port: address.port,
    close: () =>
      new Promise((resolve) => {
        dashboard.close();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
