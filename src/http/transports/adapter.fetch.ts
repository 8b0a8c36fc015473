import axios from 'axios/dist/browser/axios.cjs';
import type { AxiosSetup } from './AxiosSetup.js';
import { axiosOverFetch } from './axiosOverFetch.js';

/**
 * On Bun, Deno and edge runtimes. axios for Node would load modules of Node that some of them lack, and make Deno ask for
 * permission to read the environment.
 */
export function axiosSetup(): AxiosSetup {
  return axiosOverFetch(axios);
}
