import type { AxiosAdapter, AxiosResponse, GenericAbortSignal } from 'axios';
import axios from 'axios/dist/browser/axios.cjs';
import type { Aborter, AxiosSetup } from './AxiosSetup.js';
import { connections, type Connections } from './node/connections.js';
import { undiciRequest } from './undiciRequest.js';

/**
 * On Node, axios sends over an undici pool: its built-in adapter costs several times as much CPU for each request.
 *
 * axios for browsers will do, since only the adapter sends; axios for Node would load its own HTTP clients, which esbuild
 * cannot put into an ES module. The instance has neither the defaults of `axios.create()` nor settings. They are for other adapters: this adapter gives
 * text of any status by itself, and axios would copy each setting for each request.
 */
export function axiosSetup(): AxiosSetup {
  const pool = connections();
  return {
    http: new axios.Axios({ adapter: undiciAdapter(pool) }),
    aborter: () => new LightAbortController(),
    // Each request has a connection of its own.
    multiplexes: true,
    close: () => pool.close(),
  };
}

/** Lets axios send over undici. */
export function undiciAdapter(pool: Pick<Connections, 'dispatch'>): AxiosAdapter {
  return (config) =>
    new Promise<AxiosResponse>((resolve, reject) => {
      const { url = '', method = 'get', headers, signal, maxContentLength } = config;
      const data: unknown = config.data;
      const subscription = undiciRequest(pool, {
        url,
        method: method.toUpperCase(),
        headers: headers.toJSON() as Record<string, string>,
        body: typeof data === 'string' ? data : undefined,
        // -1 is axios's word for no bound.
        maxResponseBytes: maxContentLength === -1 ? undefined : maxContentLength,
      }).subscribe({
        next: ({ status, headers: received, text }) => {
          resolve({ status, statusText: '', headers: received, data: text, config });
        },
        error: reject,
      });
      signal?.addEventListener?.('abort', () => {
        subscription.unsubscribe();
        reject(new Error('aborted'));
      });
    });
}

/** An `AbortController` for the adapter above. Node's own costs half as much CPU for each request as axios does. */
class LightAbortController implements Aborter, GenericAbortSignal {
  readonly signal = this;
  aborted = false;
  #listener: (() => void) | undefined;

  addEventListener(_: 'abort', listener: () => void): void {
    this.#listener = listener;
  }

  abort(): void {
    this.aborted = true;
    this.#listener?.();
  }
}
