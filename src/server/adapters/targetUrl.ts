import type { NodeRequest, NodeSocket } from './NodeMessages.js';

/**
 * The URL that a request is addressed to; `undefined` if there is none. The scheme is that of the connection, the host is
 * what the request itself names: what a proxy says of either in `X-Forwarded-…`, any client can say.
 */
export function targetUrl({ headers, rawHeaders, socket }: NodeRequest, target: string): URL | undefined {
  const names = rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === 'host');
  // Which of two hosts is meant, others on the way may have seen differently.
  if (names.length > 1) return undefined;
  const scheme = (socket as NodeSocket).encrypted ? 'https' : 'http';
  // A client of HTTP/1.0 need not name a host.
  const host = String(headers[':authority'] ?? headers.host ?? '') || 'localhost';
  const absolute = /^https?:\/\/([^/?#]*)(.*)$/is.exec(target);
  if (absolute) return join(scheme, absolute[1] ?? '', absolute[2] ?? '');
  if (target === '*') return join(scheme, host, '');
  return target.startsWith('/') ? join(scheme, host, target) : undefined;
}

function join(scheme: string, host: string, path: string): URL | undefined {
  // A URL would take what stands before an `@` as a user, and what follows a `/` as a path.
  if (host === '' || /[\s/\\?#@]/.test(host)) return undefined;
  try {
    return new URL(`${scheme}://${host}${path}`);
  } catch {
    return undefined;
  }
}
