import type { Axios, AxiosRequestConfig, GenericAbortSignal } from 'axios';

/** Aborts a request; `AbortController` does. */
export interface Aborter {
  readonly signal: GenericAbortSignal;
  abort(): void;
}

/** How axios sends by default, on the platform at hand. */
export interface AxiosSetup {
  readonly http: Pick<Axios, 'request'>;
  /** What each request says beside what is its own. */
  readonly config?: AxiosRequestConfig;
  readonly aborter: () => Aborter;
  readonly close?: () => Promise<void>;
}

function asItIs(data: unknown): unknown {
  return data;
}

/** Answers of any status come as text, without limits and redirects: whatever an instance's defaults are. */
export const AS_IT_IS = {
  timeout: 0,
  responseType: 'text',
  // As lists they would be copied for each request.
  transformRequest: asItIs,
  transformResponse: asItIs,
  validateStatus: () => true,
  maxRedirects: 0,
  maxBodyLength: Infinity,
  maxContentLength: Infinity,
} as const satisfies AxiosRequestConfig;
