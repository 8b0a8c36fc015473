import type { HttpAdapterHost } from '@nestjs/core';
import { concat, filter, map, of, take } from 'rxjs';
import { reportUnhandled } from '../errors/reportUnhandled.js';
import { toExpress, type ExpressMiddleware, type Handler } from '../server/index.js';

/** A handler, and the path below which it answers every request. */
export interface MountedHandler {
  readonly path: string;
  readonly handler: Handler;
}

/**
 * Puts handlers in front of everything else that the application does with a request: parsers of bodies would limit and
 * read bodies, and Nest adds its own when it starts. Where there is no HTTP server yet, as in a testing module, it waits for
 * one.
 */
export function mountHandlers(host: HttpAdapterHost | undefined, handlers: readonly MountedHandler[]): void {
  if (!host || !handlers.length) return;
  // An application without HTTP has no adapter, and a testing module none yet, whatever the types say.
  const adapter$ = concat(of(undefined), host.init$).pipe(
    map(() => host.httpAdapter as HttpAdapterHost['httpAdapter'] | undefined),
    filter((adapter) => adapter != null),
    take(1),
  );
  adapter$.subscribe({
    next: (adapter) => {
      // On Fastify, Nest has middleware of this form run before Fastify reads the body.
      for (const { path, handler } of handlers) adapter.use(below(path, toExpress(handler)));
    },
    error: reportUnhandled,
  });
}

/** Middleware for one path. Routers would take some characters of it for patterns. */
function below(path: string, middleware: ExpressMiddleware): ExpressMiddleware {
  return (request, response, next) => {
    const [target = ''] = (request.originalUrl ?? request.url ?? '').split('?');
    if (target === path || target.startsWith(`${path}/`)) middleware(request, response, next);
    else next();
  };
}
