import type { IncomingHttpHeaders } from 'node:http';

/** Which origins may call: none (`false`), all (`true`), one, or a list. */
export type CorsOption = boolean | string | readonly string[];

/** The headers that let a page of another origin call the emulator; no such headers if its origin is not allowed. */
export function corsHeaders(cors: CorsOption, headers: IncomingHttpHeaders): Record<string, string> {
  const { origin } = headers;
  if (cors === false || origin === undefined) return {};
  const allowed = cors === true || (typeof cors === 'string' ? [cors] : cors).includes(origin);
  if (!allowed) return { vary: 'origin' };
  return {
    'access-control-allow-origin': origin,
    'access-control-allow-methods': 'GET, POST',
    'access-control-allow-headers': headers['access-control-request-headers'] ?? 'authorization, content-type',
    'access-control-expose-headers': 'retry-after',
    'access-control-max-age': '600',
    vary: 'origin',
  };
}
