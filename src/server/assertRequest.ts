import { ConfigurationError } from '../index.js';

/**
 * Throws where a handler gets no `Request`, such as Express's request, response and `next`: it would read nothing of them, and
 * the client would wait for an answer that nobody sends.
 */
export function assertRequest(operation: string, request: unknown): asserts request is Request {
  const { headers } = Object(request) as Partial<Request>;
  // Not by the class: a platform may bring another one.
  if (typeof headers?.get === 'function') return;
  throw new ConfigurationError(
    'the handler takes a Request: put it on Node by toNode, on Express by toExpress, on Fastify by toFastify, on Hono by toHono',
    { operation },
  );
}
