import type { AxiosStatic } from 'axios';
import { manyConnections } from './manyConnections.js';
import { AS_IT_IS, type AxiosSetup } from './AxiosSetup.js';

/**
 * Axios over `fetch`, which can be told not to follow redirects. Where there is no `fetch`, as in jsdom, it sends by
 * XMLHttpRequest.
 */
export function axiosOverFetch(axios: AxiosStatic): AxiosSetup {
  return {
    http: axios.create({ adapter: ['fetch', 'xhr'], fetchOptions: { redirect: 'manual' } }),
    config: AS_IT_IS,
    aborter: () => new AbortController(),
    multiplexes: manyConnections(),
  };
}
