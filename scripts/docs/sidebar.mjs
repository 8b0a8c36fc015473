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

/** The entries of the package with what each exports, as TypeDoc found them. */
export function apiGroup() {
  const path = 'api/typedoc-sidebar.json';
  return existsSync(new URL(path, docs)) ? JSON.parse(read(path)) : [];
}
