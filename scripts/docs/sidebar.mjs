import { existsSync, readdirSync, readFileSync } from 'node:fs';

const docs = new URL('../../docs/', import.meta.url);
const read = (path) => readFileSync(new URL(path, docs), 'utf8');

/** The sections of docs/README.md with the pages that their tables link to, in the order in which they stand there. */
export function guideGroups() {
  const sections = read('README.md').split(/^## /m).slice(1);
  return sections.map((section) => {
    const rows = section.split('\n').filter((line) => line.startsWith('|'));
    const links = rows.flatMap((row) => [...row.matchAll(/\[([^\]]+)\]\(([\w-]+)(?:\.md|\/)\)/g)]);
    return {
      text: section.slice(0, section.indexOf('\n')),
      items: links.map(([, text, page]) =>
        page === 'decisions' ? { text, collapsed: true, items: decisions() } : { text, link: `/${page}` },
      ),
    };
  });
}

function decisions() {
  const files = readdirSync(new URL('decisions/', docs)).filter((file) => /^\d/.test(file));
  return files.sort().map((file) => ({
    text: /^# (.+)$/m.exec(read(`decisions/${file}`))[1],
    link: `/decisions/${file.replace('.md', '')}`,
  }));
}

/** The kinds of exports, with the folders that TypeDoc has for them. */
const kinds = [
  ['Functions', 'functions'],
  ['Classes', 'classes'],
  ['Interfaces', 'interfaces'],
  ['Types', 'type-aliases'],
  ['Variables', 'variables'],
];

/** A sidebar for each entry of the package: the list of entries, with the exports of this one. */
export function apiSidebars() {
  const entries = entriesBelow('api/runpod-rx/');
  const sidebar = (open) =>
    entries.map((path) => ({
      text: path.slice('api/'.length, -1),
      link: `/${path}`,
      ...(path === open && { items: exportsOf(path) }),
    }));
  return Object.fromEntries(['api/', ...entries].map((path) => [`/${path}`, sidebar(path)]));
}

/** The folders of entries: those with a page of their own. None before TypeDoc has run. */
function entriesBelow(path) {
  if (!existsSync(new URL(`${path}index.md`, docs))) return [];
  const folders = readdirSync(new URL(path, docs), { withFileTypes: true }).filter((file) => file.isDirectory());
  return [path, ...folders.flatMap(({ name }) => entriesBelow(`${path}${name}/`))];
}

function exportsOf(entry) {
  return kinds
    .map(([text, folder]) => ({ text, path: `${entry}${folder}/` }))
    .filter(({ path }) => existsSync(new URL(path, docs)))
    .map(({ text, path }) => ({
      text,
      collapsed: true,
      items: readdirSync(new URL(path, docs))
        .map((file) => file.replace('.md', ''))
        .map((name) => ({ text: name, link: `/${path}${name}` })),
    }));
}
