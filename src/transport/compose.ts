import type { Handler, Link } from '../types/Link.js';

/** Puts links before a handler: the first link sees a request first and its answer last. */
export function compose(links: readonly Link[], handler: Handler): Handler {
  return links.reduceRight<Handler>((next, link) => (request) => link(request, next), handler);
}
