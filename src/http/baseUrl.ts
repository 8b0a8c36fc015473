import { isLoopback } from '../protocol/loopback.js';
import { querySecrets } from './querySecrets.js';

/** The parts of a base URL. */
export interface BaseUrl {
  /** Without a slash at its end. */
  readonly path: string;
  /** Without its question mark. */
  readonly query: string;
  /** What is taken out of every text for people: the query may hold a token. */
  readonly secrets: readonly string[];
  /** Whether its host is this machine. */
  readonly loopback: boolean;
}

/** The service itself. */
export const DEFAULT_BASE_URL = 'https://api.runpod.ai/v2';

/**
 * The parts of a base URL, or what is wrong with it, in words. In a browser the URL may be relative to the page. It may have
 * a path and a query. Plain http is for this machine only, because others could read the API key on its way. Blanks and line
 * breaks around it, as from a file, are left out.
 */
export function parseBaseUrl(text: string, allowInsecure?: boolean): BaseUrl | string {
  const given = text.trim();
  // A URL parser drops some of these, encodes others, and takes `\` for a slash.
  if (/[\s\\]|\p{Cc}/u.test(given)) return 'must not hold blanks, line breaks or backslashes';
  // A relative URL is relative to the page. Without a page it is not a URL.
  const page = (globalThis as { location?: { href?: string } }).location?.href;
  const url = parseUrl(given, page);
  if (!url || given.startsWith('//') || !/^https?:$/.test(url.protocol)) return 'must be an http or https URL';
  if (url.username || url.password) return 'must not hold a user name or password';
  const loopback = isLoopback(url.hostname);
  const own = page && url.origin === new URL(page).origin;
  if (url.protocol === 'http:' && !loopback && !allowInsecure && !own) {
    return 'must be https, or the API key can be read on its way (allowInsecure permits it)';
  }
  const [path = '', ...rest] = given.replace(/#.*/s, '').split('?');
  const query = rest.join('?');
  return { path: path.replace(/\/+$/, ''), query, secrets: querySecrets(query), loopback };
}

/** Like `URL.parse()`, which neither jsdom nor every browser has. */
function parseUrl(given: string, base: string | undefined): URL | undefined {
  try {
    return new URL(given, base);
  } catch {
    return undefined;
  }
}
