import type { IncomingHttpHeaders } from 'node:http';

/** Which origins may call: none (`false`), all (`true`), one, or a list. */
export type CorsOption = boolean | string | readonly string[];

/** Whether a text is an origin as browsers send it; of another one, such as with a slash at its end, no page would be let in. */
export function isOrigin(text: unknown): text is string {
  if (text === 'null') return true;
  if (typeof text !== 'string') return false;
  const scheme = /^([a-z][a-z\d+.-]*):\/\/[^/?#]+$/.exec(text)?.[1];
  // The origins of extensions and desktop applications have schemes of their own.
  if (scheme !== 'http' && scheme !== 'https') return scheme !== undefined;
  try {
    return new URL(text).origin === text;
  } catch {
    return false;
  }
}

/** Whether an origin may call. */
export function allowsOrigin(cors: CorsOption, origin: string): boolean {
  if (typeof cors === 'boolean') return cors;
  return (typeof cors === 'string' ? [cors] : cors).includes(origin);
}

/** The headers that let a page of another origin call the emulator; no such headers if its origin is not allowed. */
export function corsHeaders(cors: CorsOption, headers: IncomingHttpHeaders): Record<string, string> {
  const { origin } = headers;
  if (cors === false || origin === undefined) return {};
  if (!allowsOrigin(cors, origin)) return { vary: 'origin' };
  return {
    'access-control-allow-origin': origin,
    'access-control-allow-methods': 'GET, POST, PUT, DELETE',
    'access-control-allow-headers': headers['access-control-request-headers'] ?? 'authorization, content-type',
    'access-control-expose-headers': 'retry-after',
    'access-control-max-age': '600',
    vary: 'origin',
  };
}
