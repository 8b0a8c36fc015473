/** A base URL, taken apart. */
export interface BaseUrl {
  /** Without a slash at its end. */
  readonly path: string;
  /** Without its question mark. */
  readonly query: string;
  /** On this machine. */
  readonly loopback: boolean;
}

/** The service itself. */
export const DEFAULT_BASE_URL = 'https://api.runpod.ai/v2';

/**
 * Takes a base URL apart, or says what is wrong with it. It may be relative in a browser, and have a path and a query;
 * plain http is for this machine only, because the key would be readable on its way.
 */
export function parseBaseUrl(
  url: string,
  allowInsecure: boolean,
): { readonly base: BaseUrl } | { readonly issue: string } {
  const [path = '', query = ''] = url.split('#')[0]?.split(/\?(.*)/s) ?? [];
  const base = { path: path.replace(/\/+$/, ''), query };
  if (path.startsWith('/') || path.startsWith('./')) {
    return 'location' in globalThis
      ? { base: { ...base, loopback: false } }
      : { issue: 'must be absolute outside of a browser' };
  }
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (!parsed || !/^https?:$/.test(parsed.protocol)) return { issue: 'must be an http or https URL' };
  if (parsed.username || parsed.password) return { issue: 'must not hold a user name or password' };
  const loopback = /^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/.test(parsed.hostname);
  if (parsed.protocol === 'http:' && !loopback && !allowInsecure) {
    return { issue: 'must be https, because the API key would be readable on its way (allowInsecure permits http)' };
  }
  return { base: { ...base, loopback } };
}
