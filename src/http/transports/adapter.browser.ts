import axios from 'axios';
import type { AxiosSetup } from './AxiosSetup.js';
import { axiosOverFetch } from './axiosOverFetch.js';

/** In a browser, with the axios that the application may use as well. */
export function axiosSetup(): AxiosSetup {
  return axiosOverFetch(axios);
}
