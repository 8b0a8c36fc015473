import { Observable, from, throwError, timeout } from 'rxjs';
import { ConnectionError } from '../errors/ConnectionError.js';
import { ResponseError } from '../errors/ResponseError.js';
import { RunpodError } from '../errors/RunpodError.js';
import { timedOut } from '../errors/timedOut.js';
import { MAX_RETRY_AFTER } from '../protocol/limits.js';
import { parseRetryAfter } from '../protocol/parseRetryAfter.js';
import { statusRule } from '../protocol/statusRules.js';
import { RESPONSE_TOO_LARGE, UNKNOWN_CODING } from '../protocol/unreadableCodes.js';
import type { CallRequest } from '../types/Link.js';
import type { Reply } from '../types/Transport.js';
import { redact, type CallState } from './CallState.js';
import type { ClientContext } from './ClientContext.js';
import type { RateLimiter } from './RateLimiter.js';
import { notSent, requestContext } from './requestContext.js';
import { noReply, wholeReply } from './wholeReply.js';

/** What an exchange needs besides its request. */
interface ExchangeOptions {
  /** Makes the headers with the key; may throw, and then nothing is sent. */
  readonly headers: () => CallRequest['headers'];
  /** Slows down when the service answers 429. */
  readonly limiter: RateLimiter | undefined;
}

type Outcome = { type: 'reply'; status: number } | { type: 'failure'; message: string } | { type: 'abort' };

/**
 * One request and its answer on the wire. Emits the answer whatever its status, and completes. Unsubscribing aborts the
 * request.
 */
export function exchange(
  client: ClientContext,
  request: CallRequest,
  state: CallState,
  { headers: makeHeaders, limiter }: ExchangeOptions,
): Observable<Reply> {
  const { transport, scheduler, wallNow, base, retry, maxResponseBytes } = client.settings;
  const { maxRetryAfter = MAX_RETRY_AFTER } = retry;
  const { method, url, body, operation, timeout: ms } = request;
  return new Observable((subscriber) => {
    // The subscriber may have left while a link, or the function that gives the key, was called.
    if (subscriber.closed) return;
    assertWanted(request, state);
    const headers = makeHeaders();
    const startedAt = client.now();
    state.sentAt = startedAt;
    const attempt = ++state.attempt;
    // A link may have a call sent again that the server has acted on.
    const wasReceived = state.maybeReceived;
    let ended = false;

    const end = (maybeReceived: boolean, outcome: Outcome) => {
      if (ended) return;
      ended = true;
      state.maybeReceived = wasReceived || maybeReceived;
      if (client.activity$.observed)
        client.report(request, state, { ...outcome, duration: Math.round(client.now() - startedAt), attempt });
    };
    const fail = (error: unknown) => {
      const failure = toFailure(error, request, state);
      end(failure.phase !== 'connect', { type: 'failure', message: failure.message });
      subscriber.error(failure);
    };
    const succeed = (given: unknown) => {
      // A transport may emit more than once, and synchronously.
      if (ended) return;
      const reply = wholeReply(given);
      if (!reply) {
        fail(noReply(request, 'the transport', given));
        return;
      }
      const { status, text } = reply;
      // A character is at least one byte, so this answer is too large, whatever its transport has counted.
      if (text.length > maxResponseBytes) {
        const message = `the answer is larger than ${maxResponseBytes} bytes (option maxResponseBytes)`;
        fail({ message, code: RESPONSE_TOO_LARGE, status });
        return;
      }
      end(!statusRule(status).refused, { type: 'reply', status });
      // A 429 for one call holds for all calls of the same operation.
      if (status === 429) limiter?.slowDown(Math.min(parseRetryAfter(reply.headers, wallNow()) ?? 0, maxRetryAfter));
      subscriber.next(reply);
      subscriber.complete();
    };
    /** Makes an error of the call of whatever a handler throws. Thrown into the transport, it would reach nobody. */
    const guarded =
      <T>(handler: (value: T) => void) =>
      (value: T) => {
        try {
          handler(value);
        } catch (error) {
          subscriber.error(error);
        }
      };

    state.maybeReceived = true;
    if (client.activity$.observed) {
      client.report(request, state, { type: 'request', method, path: pathOf(url, base.path), attempt });
    }
    subscriber.add(() => {
      end(true, { type: 'abort' });
    });
    const onTimeout = () => throwError(() => timedOut(ms, 'requestTimeout', requestContext(request, true)));
    const send = () => {
      let reply$: Observable<Reply>;
      try {
        // The transport may use another copy of RxJS.
        reply$ = from(transport({ method, url, headers, body, timeout: ms, maxResponseBytes, operation }));
      } catch (error) {
        fail(error);
        return;
      }
      // One operator and no more: this code runs for each request, and operators would cost more than all else here.
      const subscription = reply$.pipe(timeout({ first: ms, scheduler, with: onTimeout })).subscribe({
        next: guarded(succeed),
        error: guarded(fail),
        complete: () => {
          if (!subscriber.closed) fail('it ended without an answer');
        },
      });
      subscriber.add(subscription);
    };
    if (client.arounds.size) client.sendAround(request, state, { method, path: pathOf(url, base.path) }, send);
    else send();
  });
}

/** Throws where a request is not to be sent any more. */
export function assertWanted(request: CallRequest, state: CallState): void {
  // A user's link may repeat a call that was abandoned meanwhile.
  if (state.abandoned) throw notSent(request, 'the call was left');
  if (state.isObsolete?.()) throw notSent(request, 'the call serves no purpose any more');
}

/** The path after the base URL, without a query, which may hold secrets. */
function pathOf(url: string, base: string): string {
  return url.slice(base.length).replace(/\?.*/, '');
}

/** A transport's failure as an error of ours: HTTP libraries hang the request on theirs, with the key in its headers. */
function toFailure(error: unknown, request: CallRequest, state: CallState): Error & { readonly phase?: unknown } {
  if (error instanceof RunpodError) return error;
  const { phase, code, message, status } = Object(error) as Readonly<Record<string, unknown>>;
  const words = redact(String(message ?? code ?? error), state);
  if (code === RESPONSE_TOO_LARGE || code === UNKNOWN_CODING) {
    return new ResponseError(
      `${request.operation} on endpoint ${request.endpointId} was answered, but ${words}`,
      requestContext(request, true),
      // A result that is too large will be as large again. What a proxy or a gateway makes of an answer may pass.
      { excerpt: '', retryable: code === UNKNOWN_CODING || statusRule(Number(status)).retryable },
    );
  }
  const connected = phase !== 'connect';
  const what = connected ? 'lost its connection' : 'could not connect';
  return new ConnectionError(
    `${request.operation} on endpoint ${request.endpointId} ${what}: ${words}`,
    { ...requestContext(request, connected), cause: Object.assign(new Error(words), { code }) },
    { phase: connected ? 'sent' : 'connect', retryable: true },
  );
}
