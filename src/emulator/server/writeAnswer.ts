import type { ServerResponse } from 'node:http';
import { Subscription } from 'rxjs';
import type { Answer } from '../index.js';

/** Sends an answer. If its body comes in pieces, unsubscribing stops the sending. */
export function writeAnswer(
  response: ServerResponse,
  { status, headers, text, body$ }: Answer,
  more: Readonly<Record<string, string>>,
): Subscription {
  if (!body$) {
    // A 204 has no body, and must not have a `content-length` header.
    const length = status === 204 ? {} : { 'content-length': String(Buffer.byteLength(text)) };
    response.writeHead(status, { ...headers, ...more, ...length }).end(text);
    return Subscription.EMPTY;
  }
  response.writeHead(status, { ...headers, ...more }).flushHeaders();
  return body$.subscribe({
    next: (piece) => response.write(piece),
    error: () => response.socket?.resetAndDestroy(),
    complete: () => response.end(),
  });
}
