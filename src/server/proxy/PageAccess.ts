/** Decides whether the page that sent a request may call, and writes the headers that let it read the answer. */
export class PageAccess {
  readonly #origins: ReadonlySet<string>;

  /** @param origins - further origins whose pages may call */
  constructor(origins: readonly string[]) {
    this.#origins = new Set(origins);
  }

  /**
   * Whether a request comes from a page of another site. Browsers send such a page's simple requests, with the user's
   * cookies, without asking first. So they do for an address that is opened (`none`): a link in a mail, too. Programs that are
   * not browsers send neither header, and are known by their user alone.
   */
  isForeign(request: Request): boolean {
    const origin = request.headers.get('origin');
    if (origin !== null && this.#origins.has(origin)) return false;
    const site = request.headers.get('sec-fetch-site');
    // The browser itself compares the page with the address that it sends to. A proxy before this one may change the host.
    if (site !== null) return site !== 'same-origin';
    return origin !== null && origin.replace(/^https?:\/\//, '') !== new URL(request.url).host;
  }

  /** The answer to a browser that asks whether a page of another origin may send a request; `undefined` for other requests. */
  preflight(request: Request): Response | undefined {
    const asked = request.headers.get('access-control-request-method');
    if (request.method !== 'OPTIONS' || asked === null) return undefined;
    const headers = {
      'access-control-allow-methods': 'GET, POST',
      'access-control-allow-headers': request.headers.get('access-control-request-headers') ?? 'content-type',
      'access-control-max-age': '600',
    };
    return this.withCors(request, new Response(null, { status: 204, headers }));
  }

  /** Adds the headers that let a page of another origin read an answer, where its origin may call. */
  withCors(request: Request, answer: Response): Response {
    const origin = request.headers.get('origin');
    if (!this.#origins.size) return answer;
    answer.headers.append('vary', 'origin');
    if (origin === null || !this.#origins.has(origin)) return answer;
    answer.headers.set('access-control-allow-origin', origin);
    answer.headers.set('access-control-allow-credentials', 'true');
    answer.headers.set('access-control-expose-headers', 'retry-after, x-request-id');
    return answer;
  }
}
