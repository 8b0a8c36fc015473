import { Observable } from 'rxjs';
import type { Reply, Transport, TransportRequest } from '../../types/Transport.js';
import { networkError } from './networkError.js';

/** Options of {@link fetchTransport}. */
export interface FetchTransportOptions {
  /**
   * A `fetch` of your own: one that adds credentials or a cache mode, or one of a framework. It gets the URL and the
   * settings of the request.
   * @defaultValue the platform's `fetch`, looked up at each request
   */
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>;
}

/**
 * HTTP by the platform's `fetch`: for browsers, edge runtimes, Bun, Deno and Node, without any dependency.
 *
 * ```ts
 * const client = createRunpod({ transport: fetchTransport() });
 * ```
 *
 * Emits one reply and completes. Unsubscribing aborts the request.
 */
export function fetchTransport({ fetch: own }: FetchTransportOptions = {}): Transport {
  return (request) =>
    new Observable((subscriber) => {
      const aborting = new AbortController();
      let ended = false;
      send(own ?? fetch, request, aborting.signal).then(
        (reply) => {
          ended = true;
          subscriber.next(reply);
          subscriber.complete();
        },
        (error: unknown) => {
          ended = true;
          subscriber.error(networkError(causeOf(error)));
        },
      );
      return () => {
        if (!ended) aborting.abort();
      };
    });
}

async function send(
  fetchIt: NonNullable<FetchTransportOptions['fetch']>,
  { method, url, headers, body }: TransportRequest,
  signal: AbortSignal,
): Promise<Reply> {
  const response = await fetchIt(url, { method, headers, body, signal, redirect: 'manual' });
  // A browser shows a redirect that it does not follow as status 0.
  if (!response.status) throw new Error('the server redirects, which is not followed: check the option baseUrl');
  const received: Record<string, string> = {};
  response.headers.forEach((value, name) => {
    received[name] = value;
  });
  return { status: response.status, headers: received, text: await response.text() };
}

/** Node and Deno say "fetch failed", and the reason in its cause. */
function causeOf(error: unknown): unknown {
  return (error instanceof TypeError && error.cause) || error;
}
