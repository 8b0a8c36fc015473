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
export function parseBaseUrl(given: string, allowInsecure?: boolean): BaseUrl | string {
  // A relative one is relative to the page; without a page it is no URL at all.
  const page = (globalThis as { location?: { href?: string } }).location?.href;
  const url = URL.canParse(given, page) ? new URL(given, page) : undefined;
  if (!url || given.startsWith('//') || !/^https?:$/.test(url.protocol)) return 'must be an http or https URL';
  if (url.username || url.password) return 'must not hold a user name or password';
  const loopback = /^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname);
  const own = page && url.origin === new URL(page).origin;
  if (url.protocol === 'http:' && !loopback && !allowInsecure && !own) {
    return 'must be https, or the API key can be read on its way (allowInsecure permits it)';
  }
  const [path = '', ...query] = given.replace(/#.*/s, '').split('?');
  return { path: path.replace(/\/+$/, ''), query: query.join('?'), loopback };
}
