import type { Client } from './Client.js';
import type { NodeRequest } from './NodeMessages.js';
import { refusal } from './refusal.js';
import { requestBody } from './requestBody.js';
import { targetUrl } from './targetUrl.js';

/** What a framework knows of a request besides Node's message. */
export interface Received {
  /** The target as the client sent it. */
  readonly target: string;
  /** What the framework has made of the body. */
  readonly body?: unknown;
}

/** A request of the platform's, of one of Node's; or the answer that refuses it. */
export function toRequest(
  message: NodeRequest,
  { target, body: parsed }: Received,
  client: Client,
): Request | Response {
  const method = message.method ?? '';
  // `Request` allows none of them.
  if (/^(connect|trace|track)$/i.test(method)) return refusal(405, 'method not allowed');
  const url = targetUrl(message, target);
  if (!url) return refusal(400, 'bad request: the host or the target of the request is invalid');
  const headers = toHeaders(message.headers);
  if (!headers) return refusal(400, 'bad request: a header is invalid');
  const body = requestBody(message, parsed, client);
  if (typeof body === 'string') return refusal(400, body);
  for (const [name, value] of Object.entries(body.headers)) {
    if (value === undefined) headers.delete(name);
    else headers.set(name, value);
  }
  const init = { method, headers, body: body.body, duplex: 'half', signal: client.signal };
  try {
    const request = new globalThis.Request(url, init as RequestInit); // the types do not know `duplex`
    client.hold(request);
    return request;
  } catch {
    // All but the method is known to be good: over HTTP/2 it may be any text.
    return refusal(405, 'method not allowed');
  }
}

/** The message's headers as middleware has left them, rather than as they came. */
function toHeaders(from: NodeRequest['headers']): Headers | undefined {
  const headers = new globalThis.Headers();
  try {
    for (const [name, value] of Object.entries(from)) {
      if (value === undefined || name.startsWith(':')) continue;
      for (const each of typeof value === 'string' ? [value] : value) headers.append(name, each);
    }
    const authority = from[':authority'];
    if (typeof authority === 'string') headers.set('host', authority);
    return headers;
  } catch {
    return undefined;
  }
}
