import axios from 'axios';
import { AS_IT_IS, type AxiosSetup } from './AxiosSetup.js';

/** In a browser, axios sends by `fetch`, which can be told not to follow redirects. Without `fetch`, by XMLHttpRequest. */
export function axiosSetup(): AxiosSetup {
  return {
    http: axios.create({ adapter: ['fetch', 'xhr'], fetchOptions: { redirect: 'manual' } }),
    config: AS_IT_IS,
    aborter: () => new AbortController(),
  };
}
