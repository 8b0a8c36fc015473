import { assertHandler } from '../assertHandler.js';
import type { Handler } from '../Handler.js';
import type { NodeRequest, NodeResponse } from './NodeMessages.js';
import { serve } from './serve.js';

/** A request, as Express gives it to middleware. */
export interface ExpressRequest extends NodeRequest {
  /** The target before a router took its own path off it. */
  readonly originalUrl?: string;
  /** What a body parser has made of the body. */
  readonly body?: unknown;
}

/** Middleware for Express 4 and 5, and for whatever takes the same. */
export type ExpressMiddleware = (
  request: ExpressRequest,
  response: NodeResponse,
  next: (error?: unknown) => void,
) => void;

/**
 * Puts a {@link Handler} on Express 4 or 5. It answers every request that it gets, and never calls `next`; its requests have
 * the whole URL, wherever it is mounted.
 *
 * Mount it before body parsers: then a body is passed on byte by byte as it comes. What `express.json()`, `express.text()`
 * and `express.raw()` have read is used, JSON as new text of the same value. A form, or a body that was read by something
 * else, is refused with 400, with a text that says what to register after it. Headers that other middleware has set stay.
 *
 * When the client goes away, and when the handler throws, it does what {@link toNode} does.
 *
 * @example
 * ```ts
 * app.use('/api/runpod', toExpress(handler));
 * app.use(express.json());
 * ```
 */
export function toExpress(handler: Handler): ExpressMiddleware {
  assertHandler('toExpress', handler);
  return (request, response) => {
    const { originalUrl, url = '/', body } = request;
    void serve(handler, request, response, { target: originalUrl ?? url, body });
  };
}
