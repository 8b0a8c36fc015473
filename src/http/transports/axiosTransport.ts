import { axiosSetup } from '#adapter';
import type { AxiosInstance, AxiosRequestConfig, AxiosResponse } from 'axios';
import { Observable } from 'rxjs';
import { invalidOptions } from '../../errors/invalidOptions.js';
import { axios as isAxios } from '../../protocol/checkOptions.js';
import type { Reply, Transport, TransportRequest } from '../../types/Transport.js';
import { AS_IT_IS, type Aborter, type AxiosSetup } from './AxiosSetup.js';
import { undecodedCoding } from './contentCodings.js';
import { networkError } from './networkError.js';
import { tooLarge, unknownCoding } from './unreadableErrors.js';

/**
 * HTTP by axios, the default. On Node axios sends over an undici pool, in a browser by `fetch`.
 *
 * @param instance - an axios instance of your own, with its interceptors, adapter, agents and proxy settings; it is left
 * open by `Runpod.close()`. Whatever it says, answers of any status are read as text, and redirects are not followed. Its
 * `maxContentLength` holds where it is smaller than the client's `maxResponseBytes`.
 *
 * Throws `ConfigurationError` where the instance is none. Emits one reply and completes. Unsubscribing aborts the request.
 */
export function axiosTransport(instance?: AxiosInstance): Transport {
  const issues = instance === undefined ? [] : isAxios(instance, 'instance');
  if (issues.length) throw invalidOptions('axiosTransport', issues);
  const { http, config, aborter, multiplexes, close }: AxiosSetup = instance
    ? { http: instance, config: AS_IT_IS, aborter: () => new AbortController(), multiplexes: false }
    : axiosSetup();

  const transport: Transport = (asked) =>
    new Observable((subscriber) => {
      const aborting = aborter();
      let ended = false;
      const request = requestOf(asked, aborting.signal, instance?.defaults.maxContentLength);
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
            subscriber.error(networkError(sizeError(error, asked) ?? error));
          },
        );
      // Aborting a request that has ended would do nothing but make a DOMException with its stack.
      return () => {
        if (!ended) aborting.abort();
      };
    });

  transport.multiplexes = multiplexes;
  if (close) transport.close = close;
  return transport;
}

function requestOf(
  { method, url, headers, body, maxResponseBytes = Infinity }: TransportRequest,
  signal: Aborter['signal'],
  ownBound = -1,
): AxiosRequestConfig {
  return {
    method,
    url,
    // Without a body, axios would say that it is a form.
    headers: body === undefined && method !== 'GET' ? { 'content-type': false, ...headers } : { ...headers },
    data: body,
    signal,
    // A negative number is axios's word for no bound.
    maxContentLength: ownBound < 0 ? maxResponseBytes : Math.min(ownBound, maxResponseBytes),
  };
}

function replyOf({ status, headers, data }: AxiosResponse<unknown>): Reply {
  // A browser shows a redirect that it does not follow as status 0.
  if (status === 0) throw new Error('the server redirects, which is not followed: check the option baseUrl');
  const lower: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== null && value !== undefined) lower[name.toLowerCase()] = String(value);
  }
  const text = textOf(data);
  const coding = undecodedCoding(lower['content-encoding'], text);
  if (coding) throw unknownCoding(coding, status);
  return { status, headers: lower, text };
}

/** The text of an answer. An adapter that ignores `responseType` may have parsed it. */
function textOf(data: unknown): string {
  if (typeof data === 'string') return data;
  return data === undefined ? '' : JSON.stringify(data);
}

/** axios's error for an answer that is too large, as the transports tell it; `undefined` for other errors. */
function sizeError(error: unknown, { maxResponseBytes }: TransportRequest): Error | undefined {
  const { message, request } = Object(error) as { message?: unknown; request?: { res?: { statusCode?: number } } };
  const [, bound] = /^maxContentLength size of (\d+) exceeded$/.exec(String(message)) ?? [];
  if (!bound) return undefined;
  const option = Number(bound) === maxResponseBytes ? 'maxResponseBytes' : 'maxContentLength of the axios instance';
  return tooLarge(bound, request?.res?.statusCode, option);
}
