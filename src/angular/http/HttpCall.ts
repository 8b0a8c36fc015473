import {
  HttpContext,
  HttpContextToken,
  HttpErrorResponse,
  HttpHeaders,
  HttpRequest,
  HttpResponse,
  type HttpEvent,
} from '@angular/common/http';
import { catchError, filter, map, of, throwError, throwIfEmpty, type Observable } from 'rxjs';
import type { Reply, TransportRequest } from '../../index.js';
import { operationRow } from '../../protocol/operations.js';
import { statusRule } from '../../protocol/statusRules.js';
import { toReply } from './toReply.js';

/** The call that a request of `HttpClient` belongs to. */
export const HTTP_CALL = new HttpContextToken<HttpCall | undefined>(() => undefined);

/** One request of the client on its way through Angular's interceptors, which may send it several times. */
export class HttpCall {
  /** What the client asked for. */
  readonly given: TransportRequest;
  /** The same for interceptors. */
  readonly request: HttpRequest<string>;
  /** What the server has answered last. */
  reply: Reply | undefined;
  /** Whether the server may have acted on the request: it was sent, and not refused. */
  maybeReceived = false;

  constructor(given: TransportRequest) {
    this.given = given;
    const { method, url, body = null, headers } = given;
    this.request = new HttpRequest<string>(method, url, body, {
      headers: new HttpHeaders({ ...headers }),
      responseType: 'text',
      transferCache: false,
      context: new HttpContext().set(HTTP_CALL, this),
    });
  }

  /** Whether the request makes the service run a job: it must not be sent again once it may have been accepted. */
  get isSubmission(): boolean {
    const { operation, method } = this.given;
    return operationRow(operation, method).kind === 'submission';
  }

  noteReply(reply: Reply): void {
    this.reply = reply;
    if (statusRule(reply.status).refused) this.maybeReceived = false;
  }

  /** The answer, of what interceptors let through. */
  replyOf(events: Observable<HttpEvent<unknown>>): Observable<Reply> {
    return events.pipe(
      filter((event): event is HttpResponse<unknown> => event instanceof HttpResponse),
      map(toReply),
      catchError((error: unknown) => this.#replyTo(error)),
      throwIfEmpty(() => this.#failure(new Error('an interceptor gave no answer'))),
      catchError((error: unknown) => (this.reply ? of(this.reply) : throwError(() => error))),
    );
  }

  /**
   * An error is often an answer that is not 2xx, or what an interceptor has made of one. Where the server has not answered, and
   * may have acted on the request, no answer of an interceptor's counts.
   */
  #replyTo(error: unknown): Observable<Reply> {
    if (this.reply) return of(this.reply);
    if (!(error instanceof HttpErrorResponse)) return throwError(() => this.#failure(error));
    if (error.status > 0 && !this.maybeReceived) return of(toReply(error));
    // What failed may be a request that an interceptor has made in place of this one: the server may have that.
    return throwError(() => (error.error ?? error) as unknown);
  }

  /** An error that says whether the request was sent. */
  #failure(error: unknown): unknown {
    if (this.maybeReceived) return error;
    const message = error instanceof Error ? error.message : String(error);
    return Object.assign(new Error(message, { cause: error }), { phase: 'connect' });
  }
}
