import {
  DestroyRef,
  EnvironmentInjector,
  PendingTasks,
  createEnvironmentInjector,
  inject,
  untracked,
  type Type,
} from '@angular/core';
import {
  FetchBackend,
  HttpBackend,
  HttpHandler,
  HttpXhrBackend,
  HttpXsrfTokenExtractor,
  type HttpEvent,
} from '@angular/common/http';
import { defer, type Observable } from 'rxjs';
import type { Reply, Transport } from '../index.js';
import { LastHeaders } from './http/LastHeaders.js';
import { HttpCall } from './http/HttpCall.js';
import { WireBackend } from './http/WireBackend.js';
import { pageFetch } from './pageFetch.js';

/** Requests of the library are no work that rendering waits for: a job may take an hour. */
const NO_TASKS: Pick<PendingTasks, 'add'> = { add: () => () => undefined };

/**
 * HTTP through the interceptors of the application's `HttpClient`, with its XSRF protection; in tests it answers to
 * `HttpTestingController`. Call it where `inject` may be called. Without `provideHttpClient()` it sends by `fetch`.
 *
 * It differs from a request of `HttpClient` in what jobs need:
 *
 * - It never comes from the cache of hydration, or goes into it, and rendering does not wait for it.
 * - It goes to the wire by `fetch`, whichever backend `HttpClient` has. A cancel outlives the page.
 * - Once the injector is destroyed, no interceptor can run. Requests then have the headers that the interceptors have added
 *   to the last one, and the current XSRF token.
 * - An interceptor that repeats a submission which may have been accepted gets the last outcome again: the job is paid once.
 * - Whatever an interceptor makes of an answer that is not 2xx, the client learns what the server answered.
 */
export function httpClientTransport(): Transport {
  const injector = inject(EnvironmentInjector);
  const destroyRef = injector.get(DestroyRef);
  if (!injector.get(HttpHandler, null)) return pageFetch();
  const last = new LastHeaders(injector.get(HttpXsrfTokenExtractor, null));
  const { handler, backend } = chainOver(injector, last);

  const transport: Transport = (request) =>
    defer((): Observable<Reply> => {
      const call = new HttpCall(request);
      const handle = (): Observable<HttpEvent<unknown>> =>
        destroyRef.destroyed ? backend.handle(last.applyTo(call.request)) : handler.handle(call.request);
      // A job may be started where signals are tracked.
      return call.replyOf(defer(() => untracked(handle)));
    });
  transport.multiplexes = pageFetch().multiplexes ?? false;
  return transport;
}

/** Handlers with the interceptors of an application, and the backend at their end. */
interface HandlerChain {
  readonly handler: HttpHandler;
  readonly backend: HttpBackend;
}

/** The application's handlers once more, with the same interceptors, over a backend of our own. */
function chainOver(injector: EnvironmentInjector, last: LastHeaders): HandlerChain {
  // Angular does not export the class.
  const handlerClass = injector.get(HttpHandler).constructor as Type<HttpHandler>;
  const applicationBackend = injector.get(HttpBackend);
  const isNetwork = applicationBackend instanceof FetchBackend || applicationBackend instanceof HttpXhrBackend;
  const parent = applicationBackend instanceof handlerClass ? ownerOf(applicationBackend, injector) : null;
  const parentChain = parent && chainOver(parent, last);
  const useFactory = (): HttpHandler =>
    parentChain?.handler ?? new WireBackend(last, isNetwork ? undefined : applicationBackend);
  const own = createEnvironmentInjector(
    [
      { provide: HttpHandler, useClass: handlerClass },
      { provide: HttpBackend, useFactory },
      { provide: PendingTasks, useValue: NO_TASKS },
    ],
    injector,
  );
  return { handler: own.get(HttpHandler), backend: parentChain?.backend ?? own.get(HttpBackend) };
}

/** The injector above that a handler is of: an `HttpClient` may make its requests by that of its parent. */
function ownerOf(handler: HttpHandler, injector: EnvironmentInjector): EnvironmentInjector | null {
  const parent = injector.get(EnvironmentInjector, null, { skipSelf: true });
  return parent && parent.get(HttpHandler, null) !== handler ? ownerOf(handler, parent) : parent;
}
