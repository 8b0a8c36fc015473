/** What `npm run docs` makes of pages, and its check of the site that was built. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createMarkdownRenderer } from 'vitepress';
import { expect, onTestFinished, test } from 'vitest';
import { documents } from './snippets.js';

type Plugin = Parameters<Awaited<ReturnType<typeof createMarkdownRenderer>>['use']>[0];

const script = (name: string) => import(fileURLToPath(new URL(`../../scripts/docs/${name}.mjs`, import.meta.url)));
const { checkSite } = (await script('checkSite')) as {
  checkSite: (folder: string) => { pages: number; links: number; problems: readonly string[] };
};
const { diagrams, pageLinks } = (await script('markdown')) as { diagrams: Plugin; pageLinks: Plugin };
const { guideGroups } = (await script('sidebar')) as {
  guideGroups: () => { text: string; items: { text: string }[] }[];
};

/** A folder with these files, by path. */
function siteOf(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'runpod-rx-site-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

async function render(text: string, relativePath = 'PAGE.md'): Promise<string> {
  const md = await createMarkdownRenderer('docs');
  return md.use(diagrams).use(pageLinks).render(text, { relativePath });
}

test('a site whose links all lead somewhere has no problem', () => {
  const folder = siteOf({
    'index.html': '<link rel="stylesheet" href="/a.css"><a href="/sub/">1</a><a href="./sub/page#here">2</a>',
    'sub/index.html': '<a href="../index.html">3</a><a href="https://example.com">elsewhere</a>',
    'sub/page.html': '<h2 id="here">Here</h2>',
    'a.css': '',
  });
  expect(checkSite(folder)).toEqual({ pages: 3, links: 3, problems: [] });
});

test('dead links, dead anchors, missing files and files from elsewhere are problems', () => {
  const folder = siteOf({
    'index.html':
      '<a href="none.html">1</a><a href="#none">2</a><img src="none.svg"><script src="https://example.com/x.js"></script>',
  });
  expect(checkSite(folder).problems).toEqual([
    '/index.html loads none.svg, which does not exist',
    '/index.html loads https://example.com/x.js',
    '/index.html links to none.html, which does not exist',
    '/index.html links to #none: no such heading',
  ]);
});

test('a diagram becomes a picture in the page, which loads nothing from elsewhere', async () => {
  const html = await render('```mermaid\nstateDiagram-v2\n  [*] --> queued: submit\n```\n');
  expect(html).toMatch(/<svg[^]*queued[^]*<\/svg>/);
  expect(html).not.toMatch(/<style|@import|fonts\./);
});

/** What a diagram says: what stands in quotes, and what follows a colon, line by line. */
const saysOf = (diagram: string) =>
  [...diagram.matchAll(/"(.+?)"|: (.+)$/gm)].flatMap(([, quoted, said]) => (quoted ?? said ?? '').split('<br/>'));

const textOf = (html: string) =>
  html
    .replace(/<[^>]*>/g, '')
    .replace(/&(?:#39|apos);/g, "'")
    .replaceAll('&gt;', '>');

test.each(
  documents().flatMap((path) =>
    [...readFileSync(path, 'utf8').matchAll(/```mermaid\n([^]*?)```/g)].map(([, diagram]) => [path, diagram!] as const),
  ),
)('the picture of a diagram of %s leaves nothing out', async (_path, diagram) => {
  const picture = textOf(await render(`\`\`\`mermaid\n${diagram}\`\`\`\n`));
  expect(saysOf(diagram).filter((said) => !picture.includes(said.trim()))).toEqual([]);
});

test('links to pages stay, links to files outside of docs become text', async () => {
  const html = await render('[jobs](jobs.md#views), [all](README.md), [source](../src/index.ts)');
  expect(html).toContain('href="./jobs.html#views"');
  expect(html).toContain('href="./"');
  expect(html).toMatch(/, source</);
});

test('the sidebar has the sections of docs/README.md in their order', () => {
  const groups = guideGroups();
  expect(groups.map(({ text }) => text)).toEqual(['Begin', 'Run jobs', 'Test', 'Reference']);
  expect(groups[0]!.items[0]).toEqual({ text: 'Getting started', link: '/getting-started' });
});
