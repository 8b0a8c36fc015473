import { catchError, defer, map, throwError, type Observable } from 'rxjs';
import { TooLargeError, readBody } from '../readBody.js';
import { Refusal } from './Refusal.js';

/**
 * Reads the body of a request, which must be a JSON object of at most `maxBytes`: emits it and completes, or errors with a
 * `Refusal`. A body that is too large is read no further, nor is one whose page has left.
 */
export function readJson(request: Request, maxBytes: number): Observable<Readonly<Record<string, unknown>>> {
  return defer(() => {
    const type = request.headers.get('content-type') ?? '';
    // A page of another site can send other types without asking first.
    if (!/^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i.test(type))
      throw new Refusal(415, 'the body must have the content type application/json');
    if (request.headers.has('content-encoding')) throw new Refusal(415, 'a compressed body is not taken');
    if (request.bodyUsed)
      throw new Refusal(400, 'the body was read already: put the proxy before what parses bodies, or give it the body');
    if (Number(request.headers.get('content-length')) > maxBytes) throw tooLarge(maxBytes);
    return readBody(request.body, maxBytes);
  }).pipe(
    catchError((error: unknown) => throwError(() => (error instanceof TooLargeError ? tooLarge(maxBytes) : error))),
    map((bytes) => objectOf(new TextDecoder().decode(bytes))),
  );
}

function tooLarge(maxBytes: number): Refusal {
  return new Refusal(413, `the body is larger than ${maxBytes} bytes`);
}

function objectOf(text: string): Readonly<Record<string, unknown>> {
  const value = parsed(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Refusal(400, 'the body must be a JSON object');
  return value as Readonly<Record<string, unknown>>;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Refusal(400, 'the body is not JSON');
  }
}
