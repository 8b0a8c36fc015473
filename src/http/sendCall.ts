import { concat, defer, first, map, throwError, type Observable } from 'rxjs';
import { invalidRequest } from '../errors/invalidRequest.js';
import { kindOf } from '../protocol/checks.js';
import { isRecord } from '../protocol/json.js';
import type { CallRequest, Handler } from '../types/Link.js';
import type { Reply } from '../types/Transport.js';
import { authorize, withApiKey } from './authorize.js';
import type { CallState } from './CallState.js';
import { checkHeaders } from './checkHeaders.js';
import type { ClientContext } from './ClientContext.js';
import { assertWanted, exchange } from './exchange.js';
import { notSent, requestContext } from './requestContext.js';
import { retryCall } from './retryCall.js';
import { noReply, wholeReply } from './wholeReply.js';

/**
 * Sends a call and emits its answer: through the user's links, then attempt by attempt until one counts. Each attempt gets
 * the API key, waits for its turn within the limits, and makes one exchange on the wire.
 */
export function sendCall(client: ClientContext, request: CallRequest, state: CallState): Observable<Reply> {
  const { links } = client.settings;
  if (!links.length) return sendWithRepeats(client, request, state);
  const { operation, kind, method, endpointId } = request;
  const wire: Handler = (given) => {
    // What the request is decides whether it may be repeated. That is not a link's to change.
    const linked: CallRequest = { ...given, operation, kind, method, endpointId };
    if (!canBeSent(linked)) return throwError(() => notSent(request, 'a link passed on something that is no request'));
    return sendWithRepeats(client, linked, state);
  };
  const chain = links.reduceRight<Handler>((next, link) => (linked) => link(linked, next), wire);
  // A link may throw. That is an error of the call.
  return defer(() => chain(request)).pipe(
    first(null, undefined),
    map((given) => {
      const reply = wholeReply(given);
      if (reply) return reply;
      throw state.maybeReceived
        ? noReply(request, 'a link', given)
        : notSent(request, `a link gave ${kindOf(given)} in place of an answer`);
    }),
  );
}

/** Whether what the links have made of a request is still one. */
function canBeSent({ url, headers, body, timeout }: { readonly [K in keyof CallRequest]: unknown }): boolean {
  const isText = typeof url === 'string' && (body === undefined || typeof body === 'string');
  return isText && isRecord(headers) && typeof timeout === 'number' && timeout >= 0;
}

/** Sends a request until an answer counts. */
function sendWithRepeats(client: ClientContext, request: CallRequest, state: CallState): Observable<Reply> {
  const { retry, scheduler, wallNow, random } = client.settings;
  // Here, because links may have changed the headers.
  const issues = checkHeaders(request.headers);
  if (issues.length) return throwError(() => invalidRequest(issues, requestContext(request, false)));
  return retryCall(sendAttempt(client, request, state), request, state, {
    retry,
    scheduler,
    wallNow,
    random,
    onRepeat: (delay, reason) => {
      client.report(request, state, { type: 'repeat', delay, reason, attempt: state.attempt });
    },
  });
}

function sendAttempt(client: ClientContext, request: CallRequest, state: CallState): Observable<Reply> {
  const { settings } = client;
  const limiter = client.rateLimiterFor(request.endpointId, request.operation);
  return withApiKey(settings, request, (key) => {
    const exchange$ = exchange(client, request, state, {
      headers: () => {
        const headers = authorize(settings, request, state, key);
        state.onTurn?.('sent');
        return headers;
      },
      limiter,
    });
    const { beforeSend } = state;
    const announced = (announce: NonNullable<typeof beforeSend>) =>
      defer(() => {
        // What cannot be sent, or is not to be sent any more, is not announced.
        assertWanted(request, state);
        authorize(settings, request, state, key);
        return concat(announce(state.attempt + 1), exchange$);
      });
    const reply$ = beforeSend ? announced(beforeSend) : exchange$;
    if (!limiter) return reply$;
    return limiter.run(reply$, {
      urgent: state.urgent,
      onWait: (waiting) => {
        state.onTurn?.('waiting');
        client.report(request, state, { type: 'wait', waiting });
      },
    });
  });
}
