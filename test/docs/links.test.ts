/** The pages: their links, how they begin, and that the list of pages has them all. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const { slugify } = (await import(join(root, 'scripts/docs/slugify.mjs'))) as { slugify: (heading: string) => string };

/** Markdown files below a folder, relative to the repository. Dependencies and what TypeDoc writes are left out. */
function markdownIn(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((file) => {
    const path = folder ? `${folder}/${file.name}` : file.name;
    if (file.isDirectory()) return /node_modules|^docs\/api$|\/\./.test(path) ? [] : markdownIn(path);
    return path.endsWith('.md') ? [path] : [];
  });
}

const pages = markdownIn('docs');
const own = readdirSync(root).filter((file) => file.endsWith('.md'));
const files = [...own, ...pages, ...markdownIn('examples')];

const textOf = (path: string) => readFileSync(join(root, path), 'utf8');

/** The text outside of code, where `](` is no link and `#` no heading. */
const prose = (text: string) => text.replace(/^ *(`{3,})[^]*?^ *\1$/gm, '');

/** The anchors of a page, as GitHub and the site make them: the second heading of a name ends with `-1`. */
function anchorsOf(text: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading] of prose(text).matchAll(/^#+ +(.+)$/gm)) {
    const slug = slugify(heading!.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1'));
    let anchor = slug;
    for (let count = 1; anchors.has(anchor); count++) anchor = `${slug}-${count}`;
    anchors.add(anchor);
  }
  return anchors;
}

/** The links of a file that lead nowhere in the repository. */
function deadLinks(path: string, text = textOf(path)): string[] {
  const links = [...prose(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, href]) => href!);
  return links.filter((href) => {
    if (/^[a-z]+:/.test(href)) return false;
    const [file, anchor] = href.split('#') as [string, string?];
    const target = file ? join(dirname(path), file) : path;
    if (target !== path && !existsSync(join(root, target))) return true;
    return anchor !== undefined && !anchorsOf(target === path ? text : textOf(target)).has(anchor);
  });
}

test.each(files)('%s has no dead link', (path) => {
  expect(deadLinks(path)).toEqual([]);
});

/** Decisions have a form of their own: context, decision, consequence. */
const guides = pages.filter((path) => !/^docs\/decisions\/\d/.test(path));

test.each(guides)('%s begins with code or a picture', (path) => {
  expect(textOf(path)).toMatch(/^# .+\n\n(<!-- no-run: .+ -->\n\n)?(```\w+|!\[)/);
});

test('docs/README.md lists every page, once', () => {
  const rows = textOf('docs/README.md').matchAll(/^\|.*\]\(([\w-]+\.md)\)/gm);
  const expected = guides.filter((path) => /^docs\/[^/]+$/.test(path) && path !== 'docs/README.md');
  expect([...rows].map(([, page]) => `docs/${page}`).sort()).toEqual(expected.sort());
});

describe('the check of links', () => {
  const text = '# Page\n\n## What it *is*, and `why`\n\n## Why\n\n## Why\n';

  test('finds files and headings that do not exist', () => {
    expect(deadLinks('docs/PAGE.md', `${text}[a](none.md) [b](#none) [c](jobs.md#none)`)).toEqual([
      'none.md',
      '#none',
      'jobs.md#none',
    ]);
  });

  test('knows headings with marks, and two of one name', () => {
    expect(deadLinks('docs/PAGE.md', `${text}[a](#what-it-is-and-why) [b](#why) [c](#why-1)`)).toEqual([]);
  });

  test('leaves out code and other sites', () => {
    expect(deadLinks('docs/PAGE.md', '```ts\n[a](none.md)\n```\n\n[b](https://example.com/none)')).toEqual([]);
  });
});
