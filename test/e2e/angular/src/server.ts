import { createReadStream, existsSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import {
  AngularNodeAppEngine,
  createNodeRequestHandler,
  isMainModule,
  writeResponseToNodeResponse,
} from '@angular/ssr/node';

const engine = new AngularNodeAppEngine();
const browserFolder = join(import.meta.dirname, '../browser');
const types: Record<string, string> = { '.js': 'text/javascript', '.html': 'text/html', '.css': 'text/css' };

async function respond(
  ...[request, response]: Parameters<Parameters<typeof createNodeRequestHandler>[0]>
): Promise<void> {
  const { pathname } = new URL(request.url ?? '/', 'http://page');
  const file = join(browserFolder, pathname);
  if (pathname !== '/' && existsSync(file) && statSync(file).isFile()) {
    response.setHeader('content-type', types[extname(file)] ?? 'application/octet-stream');
    createReadStream(file).pipe(response);
    return;
  }
  const rendered = await engine.handle(request);
  if (rendered) await writeResponseToNodeResponse(rendered, response);
  else {
    response.statusCode = 404;
    response.end();
  }
}

if (isMainModule(import.meta.url)) {
  const server = createServer((request, response) => {
    respond(request, response, () => undefined).catch((error: unknown) => {
      console.error(error);
      response.statusCode = 500;
      response.end();
    });
  });
  server.listen(0, '127.0.0.1', () => console.log(`listening on ${(server.address() as AddressInfo).port}`));
}

export const reqHandler = createNodeRequestHandler((request, response, next) => {
  respond(request, response, next).catch(next);
});
