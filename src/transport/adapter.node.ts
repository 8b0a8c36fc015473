import type { AxiosRequestConfig, AxiosResponse } from 'axios';
import { Agent } from 'undici';
import { undiciRequest } from './undiciRequest.js';
import type { AxiosAdapterSetup } from './AxiosAdapterSetup.js';

/** On Node, axios sends over an undici pool: its built-in adapter costs several times as much CPU for each request. */
export function defaultAdapter(): AxiosAdapterSetup {
  const agent = new Agent();
  return {
    config: {
      adapter: (config) =>
        new Promise<AxiosResponse>((resolve, reject) => {
          const { url = '', method = 'get', headers, signal } = config;
          const data: unknown = config.data;
          const subscription = undiciRequest(agent, {
            url,
            method: method.toUpperCase(),
            headers: headers.toJSON() as Record<string, string>,
            ...(typeof data === 'string' && { body: data }),
          }).subscribe({
            next: ({ status, headers: received, text }) => {
              resolve({ status, statusText: '', headers: received, data: text, config });
            },
            error: reject,
          });
          listen(signal, () => {
            subscription.unsubscribe();
            reject(new Error('left'));
          });
        }),
    },
    close: () => agent.close(),
  };
}

function listen(signal: AxiosRequestConfig['signal'], abort: () => void): void {
  signal?.addEventListener?.('abort', abort);
}
