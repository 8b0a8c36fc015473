import type { AxiosAdapterSetup } from './AxiosAdapterSetup.js';

/** In a browser, axios sends by `fetch`, which can be told not to follow redirects; by XMLHttpRequest where there is none. */
export function defaultAdapter(): AxiosAdapterSetup {
  return { config: { adapter: ['fetch', 'xhr'], fetchOptions: { redirect: 'manual' } } };
}
