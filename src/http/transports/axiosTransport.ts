import { axiosSetup } from '#adapter';
import type { AxiosInstance, AxiosResponse } from 'axios';
import { Observable } from 'rxjs';
import type { Reply, Transport } from '../../types/Transport.js';
import { AS_IT_IS, type AxiosSetup } from './AxiosSetup.js';
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
  const { http, config, aborter, close }: AxiosSetup = instance
    ? { http: instance, config: AS_IT_IS, aborter: () => new AbortController() }
    : axiosSetup();

  const transport: Transport = ({ method, url, headers, body }) =>
    new Observable((subscriber) => {
      const aborting = aborter();
      let ended = false;
      const request = { method, url, headers: { ...headers }, data: body, signal: aborting.signal };
      http
        // The copy costs more than the rest of this function, so it is made only where there is something to add.
        .request<unknown>(config ? { ...config, ...request } : request)
        .then(replyOf)
        .then(
          (reply) => {
            ended = true;
            subscriber.next(reply);
            subscriber.complete();
          },
          (error: unknown) => {
            ended = true;
            subscriber.error(networkError(error));
          },
        );
      // Aborting a request that has ended would do nothing but make a DOMException with its stack.
      return () => {
        if (!ended) aborting.abort();
      };
    });

  if (close) transport.close = close;
  return transport;
}

function replyOf({ status, headers, data }: AxiosResponse<unknown>): Reply {
  // A browser shows a redirect that it does not follow as status 0.
  if (status === 0) throw new Error('the server redirects, which is not followed: check the option baseUrl');
  const lower: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== null && value !== undefined) lower[name.toLowerCase()] = String(value);
  }
  return {
    status,
    headers: lower,
    text: textOf(data),
  };
}

/** The text of an answer. An adapter that ignores `responseType` may have parsed it. */
function textOf(data: unknown): string {
  if (typeof data === 'string') return data;
  return data === undefined ? '' : JSON.stringify(data);
}
