/** Serves the built application, and the proxy that adds the key. Without a key in the environment, jobs run on an emulator. */
import { createReadStream, existsSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { createRunpod, runpod } from 'runpod-rx';
import { createProxy, toNode } from 'runpod-rx/server';
import { createEmulator } from 'runpod-rx/testing';
import { endpoints } from './handlers.mjs';

const types = { '.js': 'text/javascript', '.css': 'text/css', '.html': 'text/html; charset=utf-8' };

/** @param folder - where the built application is */
export function startExample(folder, port = Number(process.env.PORT ?? 4200)) {
  const client = process.env.RUNPOD_API_KEY
    ? runpod()
    : createRunpod({ transport: createEmulator({ endpoints }).transport, apiKey: 'placeholder' });
  const operations = ['run', 'status', 'stream', 'cancel', 'health'];
  const proxy = toNode(
    createProxy({
      client,
      endpoints: Object.fromEntries(Object.keys(endpoints).map((id) => [id, { operations }])),
      // A real application takes the user from its session.
      user: () => 'ann',
    }),
  );
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    if (pathname.startsWith('/api/runpod/')) return proxy(request, response);
    const file = join(folder, normalize(pathname));
    const found =
      file.startsWith(folder) && existsSync(file) && statSync(file).isFile() ? file : join(folder, 'index.html');
    response.setHeader('content-type', types[extname(found)] ?? 'application/octet-stream');
    createReadStream(found).pipe(response);
    return undefined;
  });
  server.listen(port, '127.0.0.1', () => console.log(`Atelier: http://127.0.0.1:${server.address().port}`));
  process.once('SIGINT', () => {
    server.closeAllConnections();
    client.close().subscribe(() => process.exit(130));
  });
  return server;
}
