import { assertHandler } from '../assertHandler.js';
import type { Handler } from '../Handler.js';
import type { NodeRequest, NodeResponse } from './NodeMessages.js';
import { serve } from './serve.js';

/** A request, as Fastify gives it to a route. */
export interface FastifyRequest {
  /** Node's own request. */
  readonly raw: NodeRequest;
  /** What the parser has given, or a hook has put in its place. */
  readonly body: unknown;
}

/** A reply of Fastify's. */
export interface FastifyReply {
  /** Node's own response. */
  readonly raw: NodeResponse;
  /** Has Fastify leave the answer to others. */
  hijack(): unknown;
  /** The headers that hooks have set. */
  getHeaders(): Readonly<Record<string, number | string | string[] | undefined>>;
}

/** An instance of Fastify, as far as the plugin uses it. */
export interface FastifyScope {
  /** The methods that the instance knows. */
  readonly supportedMethods: string[];
  /** Takes the parsers away, for this plugin alone. */
  removeAllContentTypeParsers(): unknown;
  /** Adds a parser of bodies. */
  addContentTypeParser(
    type: string,
    parser: (request: unknown, payload: unknown, done: (error: Error | null, body?: unknown) => void) => void,
  ): unknown;
  /** Adds a route. */
  route(options: {
    method: string[];
    url: string;
    exposeHeadRoute: boolean;
    handler: (request: FastifyRequest, reply: FastifyReply) => void;
  }): unknown;
}

/** A plugin for Fastify 5. */
export type FastifyPlugin = (scope: FastifyScope, options: unknown, done: (error?: Error) => void) => void;

/**
 * Puts a {@link Handler} on Fastify 5, below the prefix with which the plugin is registered. It answers every path there and
 * every method that the instance knows. Hooks of the application run before it, and headers that they set are kept. Bodies
 * are passed on as they come, of any type and size: what parsers and limits the application has is of no effect.
 *
 * When the client goes away, and when the handler throws, it does what {@link toNode} does; Fastify's error handler is not
 * called.
 *
 * @example
 * ```ts
 * app.register(toFastify(handler), { prefix: '/api/runpod' });
 * ```
 */
export function toFastify(handler: Handler): FastifyPlugin {
  assertHandler('toFastify', handler);
  return (scope, _options, done) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, payload, parsed) => parsed(null, payload));
    for (const url of ['/', '/*']) {
      scope.route({
        method: scope.supportedMethods,
        url,
        exposeHeadRoute: false, // it is among the methods
        handler: ({ raw, body }, reply) => {
          reply.hijack();
          for (const [name, value] of Object.entries(reply.getHeaders()))
            if (value !== undefined) reply.raw.setHeader(name, typeof value === 'number' ? String(value) : value);
          void serve(handler, raw, reply.raw, { target: raw.url ?? '/', body });
        },
      });
    }
    done();
  };
}
