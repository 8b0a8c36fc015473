import { Observable } from 'rxjs';
import type { Dispatcher } from 'undici';
import type { Reply } from '../../types/Transport.js';

/** The part of a request that undici needs. */
export interface UndiciRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
}

/**
 * Sends one request over an undici dispatcher and emits the answer as text. Unsubscribing aborts it, also while it
 * waits for a connection. Redirects are answers, and there is no timeout of its own.
 */
export function undiciRequest(
  dispatcher: Dispatcher,
  { method, url, headers, body }: UndiciRequest,
): Observable<Reply> {
  return new Observable((subscriber) => {
    const { origin, pathname, search } = new URL(url);
    const parts: Buffer[] = [];
    let reply: Omit<Reply, 'text'> = { status: 0, headers: {} };
    let controller: Dispatcher.DispatchController | undefined;
    let ended = false;

    const sentHeaders: Record<string, string> = { ...headers };
    sentHeaders['user-agent'] ??= 'runpod-rx';

    dispatcher.dispatch(
      {
        origin,
        path: pathname + search,
        method,
        headers: sentHeaders,
        body,
        headersTimeout: 0,
        bodyTimeout: 0,
      },
      {
        onRequestStart(started) {
          controller = started;
          if (ended) started.abort(new Error('aborted'));
        },
        onResponseStart(_, status, received) {
          reply = { status, headers: joined(received) };
        },
        onResponseData(_, part) {
          parts.push(part);
        },
        onResponseEnd() {
          ended = true;
          subscriber.next({
            ...reply,
            text: (parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts)).toString().replace(/^\uFEFF/, ''),
          });
          subscriber.complete();
        },
        onResponseError(_, error) {
          ended = true;
          subscriber.error(error);
        },
      },
    );

    return () => {
      if (ended) return;
      ended = true;
      controller?.abort(new Error('aborted'));
    };
  });
}

function joined(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  const result: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) result[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return result;
}
