import type { NodeRequest } from './NodeMessages.js';

/** A body, and the headers that describe it, where they are others than the request's; `undefined` takes one away. */
export interface RequestBody {
  readonly body: ReadableStream<Uint8Array> | Uint8Array | null;
  readonly headers: Readonly<Record<string, string | undefined>>;
}

/** The body of a request that a framework has read before us; a text says why it cannot be had. */
export function parsedBody(parsed: unknown, headers: NodeRequest['headers']): RequestBody | string {
  const type = String(headers['content-type'] ?? '');
  if (parsed instanceof Uint8Array) return whole(parsed, type);
  if (typeof parsed === 'string' && isText(parsed, type, headers))
    // Whatever its encoding was, it is UTF-8 now.
    return whole(encode(parsed), type.replace(/(;\s*charset=)("[^"]*"|[^;\s]*)/i, '$1utf-8'));
  // Of a form there is no telling what it was. An empty object is what a parser leaves where it has read nothing.
  if (isForm(type) || (isEmptyObject(parsed) && !isJson(type))) return lostBody(type);
  const text = json(parsed);
  return text === undefined ? lostBody(type) : whole(encode(text), 'application/json');
}

/** Why the body of a request, of this content type, cannot be had, and what to do about it. */
export function lostBody(type: string): string {
  let parser = 'the middleware that reads it';
  if (/^\s*multipart\//i.test(type)) parser = 'the middleware that reads forms, such as multer,';
  else if (isForm(type)) parser = 'the middleware that reads forms, such as express.urlencoded(),';
  return `bad request: the body was read before it came to this route: register ${parser} behind the route`;
}

export function isForm(type: string): boolean {
  return /^\s*(multipart\/|application\/x-www-form-urlencoded)/i.test(type);
}

/** The parser has undone the body's encoding and chunks, too. */
function whole(body: Uint8Array, type: string): RequestBody {
  return {
    body,
    headers: {
      'content-type': type || undefined,
      'content-length': String(body.byteLength),
      'content-encoding': undefined,
      'transfer-encoding': undefined,
    },
  };
}

/**
 * Whether a string is the body's text, and not what a parser of JSON has made of a body that is a JSON string. That one is
 * shorter than its JSON, by the quotes; where the length is unknown, it is most probably no JSON.
 */
function isText(value: string, type: string, headers: NodeRequest['headers']): boolean {
  if (!isJson(type)) return true;
  const length = headers['content-encoding'] === undefined ? headers['content-length'] : undefined;
  if (length !== undefined) return encode(value).byteLength === Number(length);
  try {
    JSON.parse(value);
    return true;
  } catch {
    return false;
  }
}

function isJson(type: string): boolean {
  return /^[^;]*[/+]json\s*(;|$)/i.test(type);
}

function isEmptyObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length === 0;
}

/** `undefined` for what JSON cannot carry. */
function json(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}

function encode(text: string): Uint8Array {
  return new globalThis.TextEncoder().encode(text);
}
