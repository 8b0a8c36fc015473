import { bodyStream } from './bodyStream.js';
import type { Client } from './Client.js';
import type { NodeReadable, NodeRequest } from './NodeMessages.js';
import { parsedBody, type RequestBody } from './parsedBody.js';

const AS_IT_CAME = {};

/**
 * The body of a request; a text says why there can be none.
 *
 * @param parsed - what stands in the place of the body, if anything does: what a framework has made of it, or a stream
 */
export function requestBody(message: NodeRequest, parsed: unknown, client: Client): RequestBody | string {
  const method = message.method?.toUpperCase();
  if (method === 'GET' || method === 'HEAD' || !hasBody(message)) return { body: null, headers: AS_IT_CAME };
  if (isStream(parsed) && parsed !== message) {
    // Somebody has put another stream in the place of the request's, such as one that decompresses it.
    const headers = { 'content-length': undefined, 'transfer-encoding': undefined };
    return { body: bodyStream(parsed, client, { own: false }), headers };
  }
  // A request that has broken off has been destroyed, too: the stream says so.
  if (!message.readableDidRead && !message.readableEnded)
    return { body: bodyStream(message, client, { own: true }), headers: AS_IT_CAME };
  return parsedBody(isStream(parsed) ? undefined : parsed, message.headers);
}

function hasBody(message: NodeRequest): boolean {
  const { stream } = message as { stream?: { endAfterHeaders?: boolean } };
  if (stream) return !stream.endAfterHeaders;
  return message.headers['transfer-encoding'] !== undefined || Number(message.headers['content-length'] ?? 0) > 0;
}

function isStream(value: unknown): value is NodeReadable {
  return typeof (value as Partial<NodeReadable> | null | undefined)?.resume === 'function';
}
