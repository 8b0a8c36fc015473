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
  const applicationHandler = injector.get(HttpHandler, null);
  if (!applicationHandler) return pageFetch();
  const applicationBackend = injector.get(HttpBackend);
  const isNetwork = applicationBackend instanceof FetchBackend || applicationBackend instanceof HttpXhrBackend;
  const last = new LastHeaders(injector.get(HttpXsrfTokenExtractor, null));

  // The application's handler once more, with the same interceptors, over a backend of our own.
  const own = createEnvironmentInjector(
    [
      // Angular does not export the class.
      { provide: HttpHandler, useClass: applicationHandler.constructor as Type<HttpHandler> },
      {
        provide: HttpBackend,
        useFactory: () => new WireBackend(last, isNetwork ? undefined : applicationBackend),
      },
      { provide: PendingTasks, useValue: NO_TASKS },
    ],
    injector,
  );
  const handler = own.get(HttpHandler);
  const backend = own.get(HttpBackend);

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
