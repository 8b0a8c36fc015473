import type { HttpRequest, HttpXsrfTokenExtractor } from '@angular/common/http';
import type { Credentials } from '../pageFetch.js';
import { credentialsOf } from './credentialsOf.js';
import { HTTP_CALL } from './HttpCall.js';
import { plainHeaders } from './plainHeaders.js';

/** Angular's name for the header, unless the application has another. */
const XSRF_HEADER = 'x-xsrf-token';

/** Begins with a scheme, or with the slashes that come after one. */
const ABSOLUTE_URL = /^(?:https?:)?\/\//i;

/** What interceptors have added to a request. */
interface Additions {
  readonly headers: Readonly<Record<string, string>>;
  readonly credentials: Credentials;
  readonly address: Rewriting;
}

/** What they have made of the address. */
interface Rewriting {
  /** What it began with, and what it begins with instead. */
  readonly from: string;
  readonly to: string;
  /** What its query has in addition. */
  readonly query: string;
}

const NOTHING: Additions = { headers: {}, credentials: 'same-origin', address: { from: '', to: '', query: '' } };

/** What the interceptors have added to the last request, for the requests that they can no longer see. */
export class LastHeaders {
  readonly #xsrf: HttpXsrfTokenExtractor | null;
  #xsrfHeader = XSRF_HEADER;
  #last: Additions = NOTHING;
  /** Interceptors may treat reads in another way, so a request that changes something is the better model for a cancel. */
  #lastChange: Additions | undefined;

  constructor(xsrf: HttpXsrfTokenExtractor | null) {
    this.#xsrf = xsrf;
  }

  /** Remembers what interceptors have added to a request that is about to be sent. */
  remember(request: HttpRequest<unknown>): void {
    const given = request.context.get(HTTP_CALL)?.given;
    if (!given) return;
    const token = this.#xsrf?.getToken();
    const headers: Record<string, string> = {};
    for (const [name, value] of Object.entries(plainHeaders(request.headers))) {
      if (given.headers[name] === value) continue;
      if (token && value === token) this.#xsrfHeader = name;
      else headers[name] = value;
    }
    const address = rewritingOf(given.url, request.urlWithParams);
    this.#last = { headers, credentials: credentialsOf(request), address };
    if (given.method !== 'GET') this.#lastChange = this.#last;
  }

  /** The request as the interceptors would probably have made it. */
  applyTo<T>(request: HttpRequest<T>): HttpRequest<T> {
    const { headers, credentials, address } = this.#lastChange ?? this.#last;
    // As Angular's own interceptor: the token is for what changes something, and for no other origin.
    const hasToken = request.method !== 'GET' && !ABSOLUTE_URL.test(request.url);
    const token = hasToken ? this.#xsrf?.getToken() : null;
    return request.clone({
      url: rewritten(request.url, address),
      withCredentials: credentials === 'include',
      setHeaders: { ...headers, ...(token && { [this.#xsrfHeader]: token }) },
    });
  }
}

/** By what both addresses end with, but for the query. */
function rewritingOf(given: string, final: string): Rewriting {
  const [[givenPath = '', ...givenQuery], [finalPath = '']] = [given.split('?'), final.split('?')];
  let same = 0;
  while (same < givenPath.length && givenPath.at(-1 - same) === finalPath.at(-1 - same)) same++;
  return {
    from: givenPath.slice(0, givenPath.length - same),
    to: finalPath.slice(0, finalPath.length - same),
    query: final.slice(finalPath.length + givenQuery.join('?').length + 1).replace(/^&/, ''),
  };
}

function rewritten(url: string, { from, to, query }: Rewriting): string {
  if (!url.startsWith(from)) return url;
  const separator = url.includes('?') ? '&' : '?';
  return `${to}${url.slice(from.length)}${query && separator + query}`;
}
