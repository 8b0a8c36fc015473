import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What a page loads by itself, without a click. */
const loads = /<(?:script|img|source|iframe)\b[^>]*?\ssrc="([^"]+)"|<link\b[^>]*?\shref="([^"]+)"/g;
const links = /<a\b[^>]*?\shref="([^"]+)"/g;
const anchors = /\sid="([^"]+)"/g;

const decode = (text) => decodeURIComponent(text.replaceAll('&amp;', '&'));
const isExternal = (href) => /^(?:[a-z]+:)?\/\//.test(href) || href.startsWith('mailto:');

/**
 * Looks at each link of a built site.
 *
 * @param {string} folder - where the site is
 * @returns {{ pages: number, links: number, problems: readonly string[] }} what was counted, and a line for each link that
 * leads nowhere and for each file that would be loaded from elsewhere
 */
export function checkSite(folder) {
  const files = readdirSync(folder, { recursive: true }).map((path) => `/${path.replaceAll('\\', '/')}`);
  const present = new Set(files);
  const html = new Map(
    files.filter((path) => path.endsWith('.html')).map((path) => [path, readFileSync(join(folder, path), 'utf8')]),
  );
  const ids = new Map(
    [...html].map(([path, text]) => [path, new Set([...text.matchAll(anchors)].map(([, id]) => id))]),
  );
  const problems = new Set();
  let count = 0;

  const fileOf = (pathname) => {
    const path = decode(pathname);
    return [path, `${path}.html`, `${path.replace(/\/$/, '')}/index.html`].find(
      (name) => present.has(name) && /\.\w+$/.test(name),
    );
  };

  for (const [path, text] of html) {
    for (const [, source, sheet] of text.matchAll(loads)) {
      const href = source ?? sheet;
      if (isExternal(href)) problems.add(`${path} loads ${href}`);
      else if (!href.startsWith('data:') && !fileOf(new URL(href, `http://site${path}`).pathname))
        problems.add(`${path} loads ${href}, which does not exist`);
    }
    for (const [, href] of text.matchAll(links)) {
      if (isExternal(href)) continue;
      count++;
      const { pathname, hash } = new URL(href, `http://site${path}`);
      const target = fileOf(pathname);
      if (!target) problems.add(`${path} links to ${href}, which does not exist`);
      else if (hash && !ids.get(target)?.has(decode(hash.slice(1))))
        problems.add(`${path} links to ${href}: no such heading`);
    }
  }
  return { pages: html.size, links: count, problems: [...problems] };
}
