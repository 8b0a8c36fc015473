import type { HttpRequest, HttpXsrfTokenExtractor } from '@angular/common/http';
import type { Credentials } from '../pageFetch.js';
import { credentialsOf } from './credentialsOf.js';
import { HTTP_CALL } from './HttpCall.js';
import { plainHeaders } from './plainHeaders.js';

/** Angular's name for the header, unless the application has another. */
const XSRF_HEADER = 'x-xsrf-token';

/** What interceptors have added to a request. */
interface Additions {
  readonly headers: Readonly<Record<string, string>>;
  readonly credentials: Credentials;
  /** What they have put before and after the URL. */
  readonly before: string;
  readonly after: string;
}

const NOTHING: Additions = { headers: {}, credentials: 'same-origin', before: '', after: '' };

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
    const [before = '', after = ''] = request.urlWithParams.split(given.url);
    this.#last = { headers, credentials: credentialsOf(request), before, after };
    if (given.method !== 'GET') this.#lastChange = this.#last;
  }

  /** The request as the interceptors would probably have made it. */
  applyTo<T>(request: HttpRequest<T>): HttpRequest<T> {
    const { headers, credentials, before, after } = this.#lastChange ?? this.#last;
    const token = request.method === 'GET' ? null : this.#xsrf?.getToken();
    return request.clone({
      url: `${before}${request.url}${after}`,
      withCredentials: credentials === 'include',
      setHeaders: { ...headers, ...(token && { [this.#xsrfHeader]: token }) },
    });
  }
}
