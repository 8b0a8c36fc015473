import { createServer, request as forward, type IncomingHttpHeaders } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';

/** What a proxy was asked for. */
export interface ProxyRequest {
  readonly method: string;
  /** `host:port` of a tunnel, or a whole URL. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
}

export interface ProxyServer {
  readonly port: number;
  readonly seen: readonly ProxyRequest[];
  close(): Promise<void>;
}

/**
 * A proxy on 127.0.0.1 that leads every host to one port of this machine.
 *
 * @param answer - what it does with a tunnel: opens it, refuses it with a status, or breaks off
 */
export async function proxyServer(
  toPort: number,
  answer: 'open' | 'break off' | number = 'open',
): Promise<ProxyServer> {
  const seen: ProxyRequest[] = [];
  const sockets = new Set<Socket>();
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
  };
  const server = createServer((message, response) => {
    const { method = '', url = '', headers } = message;
    seen.push({ method, target: url, headers });
    if (typeof answer === 'number') {
      response.writeHead(answer, { 'content-type': 'text/html' }).end('<h1>The proxy refuses</h1>');
      return;
    }
    const { pathname, search } = new URL(url);
    const onward = forward(
      { port: toPort, host: '127.0.0.1', method, path: pathname + search, headers },
      (received) => {
        response.writeHead(received.statusCode ?? 502, received.headers);
        received.pipe(response);
      },
    );
    onward.on('error', () => response.destroy());
    message.pipe(onward);
  });
  server.on('connection', keep);
  server.on('connect', ({ url = '', headers }, socket: Socket) => {
    seen.push({ method: 'CONNECT', target: url, headers });
    if (answer === 'break off') {
      socket.destroy();
    } else if (typeof answer === 'number') {
      socket.end(`HTTP/1.1 ${answer} No\r\ncontent-type: text/html\r\ncontent-length: 4\r\n\r\n<hr>`);
    } else {
      const onward = connect(toPort, '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
        socket.pipe(onward).pipe(socket);
      });
      keep(onward);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    seen,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}
