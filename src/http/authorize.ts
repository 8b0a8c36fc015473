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
  { keys }: CallState,
  key: string | undefined,
): CallRequest['headers'] {
  if (!key && keyOptional) return request.headers;
  // HTTP libraries refuse some characters in a header, and some quote the whole header in their error.
  if (!key || /[^\x21-\x7e]/.test(key))
    throw notSent(request, 'there is no API key that can be used: give the option apiKey, or set RUNPOD_API_KEY');
  if (keyRefusal) throw notSent(request, keyRefusal);
  if (!keys.includes(key)) keys.push(key);
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) {
    // A link may have added an authorization header.
    if (name.toLowerCase() !== 'authorization') headers[name] = value;
  }
  headers.authorization = `Bearer ${key}`;
  return headers;
}
