import { fetchTransport, type FetchSettings } from '../fetch.js';
import type { Transport } from '../index.js';

/** Which cookies go with a request. */
export type Credentials = 'same-origin' | 'include' | 'omit';

/**
 * The platform's `fetch` as a transport. A cancel is sent with `keepalive`, so that it arrives although the page goes away.
 */
export function pageFetch(credentials: Credentials = 'same-origin'): Transport {
  const plain = fetchTransport({ fetch: (url, settings) => globalThis.fetch(url, { ...settings, credentials }) });
  const lasting = fetchTransport({ fetch: (url, settings) => fetchLasting(url, { ...settings, credentials }) });
  const transport: Transport = (request) => (request.operation === 'cancel' ? lasting(request) : plain(request));
  transport.multiplexes = plain.multiplexes ?? false;
  return transport;
}

/**
 * Sends with `keepalive`, and without it where that fails: a browser bounds how much may be under way so. A cancel may be
 * sent twice.
 */
async function fetchLasting(url: string, settings: FetchSettings & { credentials: Credentials }): Promise<Response> {
  try {
    return await globalThis.fetch(url, { ...settings, keepalive: true });
  } catch (error) {
    if (settings.signal.aborted) throw error;
    return globalThis.fetch(url, settings);
  }
}
