import type { IncomingMessage } from 'node:http';
import { MAX_RUNSYNC_BODY } from '../../protocol/limits.js';

/** A request's body: its text, or only its size if it is larger than any operation takes. */
export interface Body {
  readonly body?: string;
  readonly size: number;
}

/** Reads a body to its end and drops the text of a body that is too large. `undefined`: the client disconnected. */
export async function readBody(request: IncomingMessage): Promise<Body | undefined> {
  const parts: Buffer[] = [];
  let size = 0;
  try {
    for await (const part of request as AsyncIterable<Buffer>) {
      size += part.length;
      if (size <= MAX_RUNSYNC_BODY) parts.push(part);
      else parts.length = 0;
    }
  } catch {
    return undefined;
  }
  return size > MAX_RUNSYNC_BODY ? { size } : { body: Buffer.concat(parts).toString('utf8'), size };
}
