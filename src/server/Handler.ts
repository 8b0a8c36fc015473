/** What a platform gives to a {@link Handler} besides the request. */
export interface HandlerContext {
  /**
   * Keeps the runtime from ending what still runs once the answer is out: `waitUntil` of Cloudflare Workers, Vercel and
   * Deno Deploy. Elsewhere nothing ends it.
   */
  waitUntil?(work: Promise<unknown>): void;
}

/**
 * Answers an HTTP request, as the route handlers of Next, Bun, Deno, Hono and workers do. Never rejects, but for
 * what is no `Request`: see `toNode`, `toExpress`, `toFastify` and `toHono`.
 *
 * Aborting the request's `signal` before the answer is there means that the client has left.
 */
export type Handler = (request: Request, context?: HandlerContext) => Promise<Response>;
