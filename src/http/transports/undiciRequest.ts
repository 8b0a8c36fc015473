import { Observable } from 'rxjs';
import type { Dispatcher } from 'undici';
import type { Reply } from '../../types/Transport.js';
import { contentCodings } from './contentCodings.js';
import { decode } from './node/decode.js';
import { networkError } from './networkError.js';
import { tooLarge } from './unreadableErrors.js';

/** The part of a request that undici needs. */
export interface UndiciRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  /** @defaultValue no bound */
  readonly maxResponseBytes?: number | undefined;
}

/**
 * Sends one request over an undici dispatcher and emits the answer as text. Unsubscribing aborts it, also while it
 * waits for a connection. Redirects are answers, and there is no timeout of its own. An answer that is too large is cut
 * off, and one that is compressed is decoded within the same bound.
 */
export function undiciRequest(
  dispatcher: Pick<Dispatcher, 'dispatch'>,
  { method, url, headers, body, maxResponseBytes: maxBytes = Infinity }: UndiciRequest,
): Observable<Reply> {
  return new Observable((subscriber) => {
    const parts: Buffer[] = [];
    let size = 0;
    let reply: Omit<Reply, 'text'> = { status: 0, headers: {} };
    let controller: Dispatcher.DispatchController | undefined;
    let ended = false;

    const sentHeaders: Record<string, string> = { ...headers };
    sentHeaders['user-agent'] ??= 'runpod-rx';

    const emit = (data: Buffer) => {
      subscriber.next({ ...reply, text: data.toString().replace(/^\uFEFF/, '') });
      subscriber.complete();
    };
    const fail = (error: unknown) => {
      subscriber.error(networkError(error));
    };

    const handler: Dispatcher.DispatchHandler = {
      onRequestStart(started) {
        controller = started;
        if (ended) started.abort(new Error('aborted'));
      },
      onResponseStart(started, status, received) {
        reply = { status, headers: joined(received) };
        if (Number(reply.headers['content-length']) > maxBytes) started.abort(tooLarge(maxBytes, status));
      },
      onResponseData(started, part) {
        size += part.length;
        if (size > maxBytes) started.abort(tooLarge(maxBytes, reply.status));
        else parts.push(part);
      },
      onResponseEnd() {
        ended = true;
        const data = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
        const codings = contentCodings(reply.headers['content-encoding']);
        if (!codings.length) emit(data);
        else decode(data, codings, { maxBytes, status: reply.status }).then(emit).catch(fail);
      },
      onResponseError(_, error) {
        ended = true;
        fail(error);
      },
    };
    try {
      const { origin, pathname, search } = new URL(url);
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
        handler,
      );
    } catch (error) {
      fail(error);
    }

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
