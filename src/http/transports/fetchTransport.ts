import { Observable } from 'rxjs';
import { manyConnections } from './manyConnections.js';
import type { Reply, Transport, TransportRequest } from '../../types/Transport.js';
import { undecodedCoding } from './contentCodings.js';
import { networkError } from './networkError.js';
import { tooLarge, unknownCoding } from './unreadableErrors.js';

/** The settings that {@link fetchTransport} gives to `fetch`. */
export interface FetchSettings {
  method: string;
  headers: Record<string, string>;
  body?: string;
  signal: AbortSignal;
  redirect: 'manual';
}

/** Options of {@link fetchTransport}. */
export interface FetchTransportOptions {
  /**
   * A `fetch` of your own, such as one that adds credentials or a cache mode, or that sends through a proxy.
   * @defaultValue the platform's `fetch`, looked up at each request
   */
  readonly fetch?: (url: string, settings: FetchSettings) => Promise<Response>;
  /**
   * Whether a request that waits long keeps no other from being sent: see `Transport.multiplexes`. Set it in a browser
   * whose requests go to a server with HTTP/2.
   * @defaultValue true, but not in browsers and on Cloudflare Workers, which open six connections
   */
  readonly multiplexes?: boolean;
}

/**
 * HTTP by the platform's `fetch`: for browsers, edge runtimes, Bun, Deno and Node, without any dependency.
 *
 * ```ts
 * const client = createRunpod({ transport: fetchTransport() });
 * ```
 *
 * Emits one reply and completes. Unsubscribing aborts the request. Most platforms do not say whether a request was sent
 * before the network failed. Then the error of a submission has `accepted: 'unknown'`.
 */
export function fetchTransport({ fetch: own, multiplexes = manyConnections() }: FetchTransportOptions = {}): Transport {
  const transport: Transport = (request) =>
    new Observable((subscriber) => {
      const aborting = new AbortController();
      let ended = false;
      exchange(own ?? globalThis.fetch, request, aborting.signal).then(
        (reply) => {
          ended = true;
          subscriber.next(reply);
          subscriber.complete();
        },
        (error: unknown) => {
          ended = true;
          // Also where the answer is too large: the rest of it is not read.
          aborting.abort();
          subscriber.error(networkError(causeOf(error)));
        },
      );
      return () => {
        if (!ended) aborting.abort();
      };
    });
  transport.multiplexes = multiplexes;
  return transport;
}

async function exchange(
  send: FetchTransportOptions['fetch'],
  { method, url, headers: given, body, maxResponseBytes = Infinity }: TransportRequest,
  signal: AbortSignal,
): Promise<Reply> {
  if (!send) throw Object.assign(new Error('there is no fetch here: give fetchTransport one'), { phase: 'connect' });
  const settings: FetchSettings = { method, headers: { ...given }, signal, redirect: 'manual' };
  if (body !== undefined) settings.body = body;
  const response = await send(url, settings);
  const { status } = response;
  // A browser shows a redirect that it does not follow as status 0.
  if (!status) throw new Error('the server redirects, which is not followed: check the option baseUrl');
  const headers: Record<string, string> = {};
  response.headers.forEach((value, name) => {
    headers[name] = value;
  });
  const text = await textWithin(response, maxResponseBytes);
  const coding = undecodedCoding(headers['content-encoding'], text);
  if (coding) throw unknownCoding(coding, status);
  return { status, headers, text };
}

/** Reads an answer as text, and throws as soon as it is too large. */
async function textWithin(response: Response, maxBytes: number): Promise<string> {
  const body = response.body?.getReader();
  // Some platforms give no stream. The client checks the text's length.
  if (!body) return response.text();
  const decoder = new TextDecoder();
  let text = '';
  let size = 0;
  for (;;) {
    const { done, value } = await body.read();
    if (done) return text + decoder.decode();
    size += value.byteLength;
    if (size > maxBytes) throw tooLarge(maxBytes, response.status);
    text += decoder.decode(value, { stream: true });
  }
}

/** Node and Deno say "fetch failed", and the reason in its cause. */
function causeOf(error: unknown): unknown {
  return (error instanceof TypeError && error.cause) || error;
}
