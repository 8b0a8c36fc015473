import { assertHandler } from '../assertHandler.js';
import type { Handler } from '../Handler.js';
import type { NodeRequest, NodeResponse } from './NodeMessages.js';
import { serve } from './serve.js';

/** What `createServer` of `node:http`, `node:https` and `node:http2` takes. */
export type NodeListener = (request: NodeRequest, response: NodeResponse) => void;

/**
 * Puts a {@link Handler} on a server of Node's own.
 *
 * When the client goes away before it has the whole answer, the request's `signal` aborts, and the body of the answer is
 * cancelled. A request that no URL, header or method of the platform can express is answered with 400 or 405. A handler that
 * throws is answered with 500, without details, and RxJS's `config.onUnhandledError` is told, where you have set it; if the
 * answer has begun, the connection ends.
 *
 * @example
 * ```ts
 * createServer(toNode(handler)).listen(8080);
 * ```
 */
export function toNode(handler: Handler): NodeListener {
  assertHandler('toNode', handler);
  return (request, response) => {
    void serve(handler, request, response, { target: request.url ?? '/' });
  };
}
