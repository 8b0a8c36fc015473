import { defaultAdapter } from '#adapter';
import axios, { type AxiosInstance, type AxiosResponse } from 'axios';
import { Observable } from 'rxjs';
import type { Reply, Transport } from '../types/Transport.js';
import { networkError } from './networkError.js';

/**
 * HTTP by axios, the default. On Node axios sends over an undici pool, in a browser by `fetch`.
 *
 * @param instance - an axios instance of your own, with its interceptors, adapter and agents; it is left open by
 * `Runpod.close()`. Whatever it says, answers of any status are read as text, and redirects are not followed.
 *
 * Emits one reply and completes. Unsubscribing aborts the request.
 */
export function axiosTransport(instance?: AxiosInstance): Transport {
  const setup = instance ? undefined : defaultAdapter();
  const http = instance ?? axios.create(setup?.config);

  const transport: Transport = ({ method, url, headers, body }) =>
    new Observable((subscriber) => {
      const abort = new AbortController();
      let over = false;
      http
        .request<unknown>({
          method,
          url,
          headers: { ...headers },
          ...(body !== undefined && { data: body }),
          signal: abort.signal,
          timeout: 0,
          responseType: 'text',
          // As lists they would be copied for each request.
          transformRequest: asItIs,
          transformResponse: asItIs,
          validateStatus: () => true,
          maxRedirects: 0,
          maxBodyLength: Infinity,
          maxContentLength: Infinity,
        })
        .then(replyOf)
        .then(
          (reply) => {
            over = true;
            subscriber.next(reply);
            subscriber.complete();
          },
          (error: unknown) => {
            over = true;
            subscriber.error(networkError(error));
          },
        );
      // To abort what is over would abort nothing, and make a DOMException with its stack each time.
      return () => {
        if (!over) abort.abort();
      };
    });

  if (setup?.close) transport.close = setup.close;
  return transport;
}

function asItIs(data: unknown): unknown {
  return data;
}

function replyOf({ status, headers, data }: AxiosResponse<unknown>): Reply {
  // What a browser shows of a redirect that it was told not to follow.
  if (status === 0) throw new Error('the server redirects, which is not followed: check the option baseUrl');
  const lower: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== null && value !== undefined) lower[name.toLowerCase()] = String(value);
  }
  return {
    status,
    headers: lower,
    text: typeof data === 'string' ? data : data === undefined ? '' : JSON.stringify(data),
  };
}
