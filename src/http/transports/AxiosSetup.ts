import type { Axios, AxiosRequestConfig, GenericAbortSignal } from 'axios';

/** Aborts a request. `AbortController` is one. */
export interface Aborter {
  readonly signal: GenericAbortSignal;
  abort(): void;
}

/** How axios sends by default, on the platform at hand. */
export interface AxiosSetup {
  readonly http: Pick<Axios, 'request'>;
  /** Settings of every request. */
  readonly config?: AxiosRequestConfig;
  readonly aborter: () => Aborter;
  /** As that of a transport. */
  readonly multiplexes: boolean;
  readonly close?: () => Promise<void>;
}

function identity(data: unknown): unknown {
  return data;
}

/** Settings that override an instance's defaults: answers of any status come as text, without redirects. */
export const AS_IT_IS = {
  timeout: 0,
  responseType: 'text',
  // Functions, because axios would copy a list for each request.
  transformRequest: identity,
  transformResponse: identity,
  validateStatus: () => true,
  maxRedirects: 0,
  maxBodyLength: Infinity,
} as const satisfies AxiosRequestConfig;
