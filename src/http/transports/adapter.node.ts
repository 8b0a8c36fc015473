import { Axios, type AxiosAdapter, type AxiosResponse, type GenericAbortSignal } from 'axios';
import { Agent } from 'undici';
import type { Aborter, AxiosSetup } from './AxiosSetup.js';
import { undiciRequest } from './undiciRequest.js';

/**
 * On Node, axios sends over an undici pool: its built-in adapter costs several times as much CPU for each request. And it
 * comes without the defaults of `axios.create()`, and without settings: they are for other adapters, this one gives text of
 * any status, and axios copies each of them for each request.
 */
export function axiosSetup(): AxiosSetup {
  const agent = new Agent();
  return {
    http: new Axios({ adapter: undiciAdapter(agent) }),
    aborter: () => new Leaving(),
    close: () => agent.close(),
  };
}

/** Lets axios send over undici. */
export function undiciAdapter(agent: Agent): AxiosAdapter {
  return (config) =>
    new Promise<AxiosResponse>((resolve, reject) => {
      const { url = '', method = 'get', headers, signal } = config;
      const data: unknown = config.data;
      const subscription = undiciRequest(agent, {
        url,
        method: method.toUpperCase(),
        headers: headers.toJSON() as Record<string, string>,
        body: typeof data === 'string' ? data : undefined,
      }).subscribe({
        next: ({ status, headers: received, text }) => {
          resolve({ status, statusText: '', headers: received, data: text, config });
        },
        error: reject,
      });
      signal?.addEventListener?.('abort', () => {
        subscription.unsubscribe();
        reject(new Error('left'));
      });
    });
}

/** What an `AbortController` is to the adapter above. Node's own costs as much for each request as half of axios. */
class Leaving implements Aborter, GenericAbortSignal {
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
