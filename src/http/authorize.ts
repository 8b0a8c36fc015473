import { catchError, defer, first, of, switchMap, throwError, type Observable } from 'rxjs';
import type { CallRequest } from '../types/Link.js';
import type { CallState } from './CallState.js';
import type { ClientSettings } from './ClientSettings.js';
import { notSent } from './requestContext.js';

/**
 * Gets the API key that is in force now, and sends with it. A key that is a function is called for each attempt, so that
 * a key that was replaced is used from then on.
 */
export function withApiKey<T>(
  { apiKey }: ClientSettings,
  request: CallRequest,
  send: (key: string | undefined) => Observable<T>,
): Observable<T> {
  if (typeof apiKey !== 'function') return send(apiKey);
  return defer(() => {
    const key = apiKey();
    // A string is an ObservableInput, too: of its characters.
    return typeof key === 'object' ? key : of(key);
  }).pipe(
    // The function may give an Observable that goes on. A call has one key, and is sent once.
    first(null, undefined),
    catchError((cause: unknown) => throwError(() => notSent(request, 'the function given as apiKey failed', cause))),
    switchMap(send),
  );
}

/** The headers of a request, with the key. Throws where the key cannot be used. */
export function authorize(
  { keyOptional, keyRefusal }: ClientSettings,
  request: CallRequest,
  { secrets }: CallState,
  given: string | undefined,
): CallRequest['headers'] {
  if (!given && keyOptional) return request.headers;
  // A key from a file or a secret store often ends with a line break.
  const key = typeof given === 'string' ? given.trim() : undefined;
  if (!key) throw notSent(request, missingKey(given));
  if (!PRINTABLE.test(key))
    throw notSent(request, `the API key ${flawOf(key)}: check the option apiKey, or RUNPOD_API_KEY`);
  if (keyRefusal) throw notSent(request, keyRefusal);
  if (!secrets.includes(key)) secrets.push(key);
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) {
    // A link may have added an authorization header.
    if (name.toLowerCase() !== 'authorization') headers[name] = value;
  }
  headers.authorization = `Bearer ${key}`;
  return headers;
}

function missingKey(given: unknown): string {
  if (typeof given === 'string' && given) return 'the API key is blank: it consists of spaces and line breaks only';
  if (given) return 'the API key must be a string, or a function that gives one';
  return 'there is no API key that can be used: give the option apiKey, or set RUNPOD_API_KEY';
}

/** What a key consists of. HTTP libraries refuse other characters, and some quote the header in their error. */
const PRINTABLE = /^[\x21-\x7e]+$/;

/** Why a key cannot be used; it is not shown. */
function flawOf(key: string): string {
  if (/^bearer\s/i.test(key)) return 'begins with the word "Bearer" and a space, which the client adds by itself';
  if (/\s/.test(key)) return 'has a space or a line break within it';
  return 'has a character that is not ASCII or cannot be printed';
}
