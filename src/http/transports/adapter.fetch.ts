import axios from '#axios';
import { AS_IT_IS, type AxiosSetup } from './AxiosSetup.js';

/**
 * Everywhere but on Node, axios sends by `fetch`, which can be told not to follow redirects. Where there is none, as in
 * jsdom, it sends by XMLHttpRequest.
 */
export function axiosSetup(): AxiosSetup {
  return {
    http: axios.create({ adapter: ['fetch', 'xhr'], fetchOptions: { redirect: 'manual' } }),
    config: AS_IT_IS,
    aborter: () => new AbortController(),
  };
}
