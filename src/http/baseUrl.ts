/** The parts of a base URL. */
export interface BaseUrl {
  /** Without a slash at its end. */
  readonly path: string;
  /** Without its question mark. */
  readonly query: string;
  /** Whether its host is this machine. */
  readonly loopback: boolean;
}

/** The service itself. */
export const DEFAULT_BASE_URL = 'https://api.runpod.ai/v2';

/**
 * The parts of a base URL, or what is wrong with it, in words. In a browser the URL may be relative to the page. It may have
 * a path and a query. Plain http is for this machine only, because others could read the API key on its way.
 */
export function parseBaseUrl(given: string, allowInsecure?: boolean): BaseUrl | string {
  // A relative URL is relative to the page. Without a page it is not a URL.
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
