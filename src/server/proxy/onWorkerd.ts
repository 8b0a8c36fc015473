/**
 * Whether this is Cloudflare Workers, where what one request has begun (a request of its own, a timer) must not answer
 * another.
 */
export function onWorkerd(): boolean {
  const { navigator } = globalThis as { readonly navigator?: { readonly userAgent?: unknown } };
  return navigator?.userAgent === 'Cloudflare-Workers';
}
