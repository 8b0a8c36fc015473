import {
  FetchBackend,
  HttpErrorResponse,
  HttpEventType,
  HttpHeaders,
  HttpResponse,
  type HttpBackend,
  type HttpEvent,
  type HttpRequest,
} from '@angular/common/http';
import {
  catchError,
  concat,
  concatMap,
  defer,
  of,
  tap,
  throwError,
  type MonoTypeOperatorFunction,
  type Observable,
} from 'rxjs';
import type { Reply } from '../../index.js';
import { pageFetch } from '../pageFetch.js';
import { credentialsOf } from './credentialsOf.js';
import { HTTP_CALL, type HttpCall } from './HttpCall.js';
import type { LastHeaders } from './LastHeaders.js';
import { plainHeaders } from './plainHeaders.js';
import { toReply } from './toReply.js';

/**
 * Where requests arrive after the application's interceptors: it sends them by `fetch`. Angular's own backend stops reading
 * an answer when the application is destroyed, and the id of a job that was just submitted would be lost. It is a
 * `FetchBackend` all the same, since Angular warns about any other on a server.
 */
export class WireBackend extends FetchBackend {
  readonly #last: LastHeaders;
  readonly #instead: HttpBackend | undefined;

  /**
   * @param last - is told of each request
   * @param instead - sends the requests in place of `fetch`: the backend of a test, or of a platform
   */
  constructor(last: LastHeaders, instead: HttpBackend | undefined) {
    super();
    this.#last = last;
    this.#instead = instead;
  }

  override handle(request: HttpRequest<unknown>): Observable<HttpEvent<unknown>> {
    const call = request.context.get(HTTP_CALL);
    // An interceptor has made a request of its own in place of the library's.
    if (!call) return this.#instead?.handle(request) ?? super.handle(request);
    return defer(() => {
      if (call.isSubmission && call.maybeReceived) return outcomeOf(call, request);
      this.#last.remember(request);
      call.maybeReceived = true;
      call.reply = undefined;
      return this.#instead ? this.#instead.handle(request).pipe(noted(call)) : send(call, request);
    });
  }
}

/** The outcome of a submission that an interceptor repeats, and that may have been accepted. */
function outcomeOf({ reply }: HttpCall, request: HttpRequest<unknown>): Observable<HttpEvent<unknown>> {
  const why = 'an interceptor repeated a submission that may have been accepted: it is not sent again';
  return reply ? eventOf(reply, request) : throwError(() => networkError(new Error(why), request));
}

function send(call: HttpCall, request: HttpRequest<unknown>): Observable<HttpEvent<unknown>> {
  const body = request.serializeBody();
  const reply$ = pageFetch(credentialsOf(request))({
    ...call.given,
    url: request.urlWithParams,
    headers: plainHeaders(request.headers),
    // The library's bodies are text.
    ...(typeof body === 'string' && { body }),
  });
  const answer$ = reply$.pipe(
    catchError((error: unknown) => throwError(() => networkError(error, request))),
    tap((reply) => {
      call.noteReply(reply);
    }),
    concatMap((reply) => eventOf(reply, request)),
  );
  return concat(of<HttpEvent<unknown>>({ type: HttpEventType.Sent }), answer$);
}

/** Tells the call what another backend answers. */
function noted(call: HttpCall): MonoTypeOperatorFunction<HttpEvent<unknown>> {
  return tap({
    next: (event) => {
      if (event instanceof HttpResponse) call.noteReply(toReply(event));
    },
    error: (error: unknown) => {
      if (error instanceof HttpErrorResponse && error.status > 0) call.noteReply(toReply(error));
    },
  });
}

/** An answer as interceptors expect it: one that is not 2xx is an error. */
function eventOf(
  { status, headers: given, text }: Reply,
  request: HttpRequest<unknown>,
): Observable<HttpEvent<unknown>> {
  const parts = { status, statusText: '', url: request.urlWithParams, headers: new HttpHeaders({ ...given }) };
  return status >= 200 && status < 300
    ? of(new HttpResponse<unknown>({ ...parts, body: text }))
    : throwError(() => new HttpErrorResponse({ ...parts, error: text }));
}

function networkError(error: unknown, request: HttpRequest<unknown>): HttpErrorResponse {
  return new HttpErrorResponse({ error, status: 0, url: request.urlWithParams });
}
