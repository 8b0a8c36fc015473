import { renderMermaidSVG } from 'beautiful-mermaid';

/** The page's own colours. `theme/style.css` has those between them. */
const colours = { bg: 'var(--vp-c-bg)', fg: 'var(--vp-c-text-1)' };

/** A diagram as SVG. Without its style sheet, which would load a font from elsewhere, and hold for the whole page. */
function diagram(source) {
  const svg = renderMermaidSVG(source, colours).replace(/<style>.*?<\/style>/s, '');
  return `<div class="diagram" role="img" v-pre>${svg}</div>\n`;
}

/** A plugin of markdown-it: blocks of Mermaid become pictures while the site is built. */
export function diagrams(md) {
  const { fence } = md.renderer.rules;
  md.renderer.rules.fence = (tokens, index, ...rest) =>
    tokens[index].info.trim() === 'mermaid' ? diagram(tokens[index].content) : fence(tokens, index, ...rest);
}

/** Whether a link of a page leads to a file that is no page: source, tests, examples. */
const isOutside = (href, relativePath) => {
  if (/^[a-z]+:|^#|^\//.test(href)) return false;
  const depth = relativePath.split('/').length - 1;
  return href.split('/').filter((part) => part === '..').length > depth;
};

/** Takes a token out of the page. A link that is merely hidden would still be looked up. */
function remove(token) {
  token.type = 'text';
  token.content = '';
}

/** A plugin of markdown-it: links to README.md lead to the first page, and links to files that are not on the site become text. */
export function pageLinks(md) {
  md.core.ruler.push('page-links', ({ tokens, env }) => {
    for (const { children } of tokens) {
      let outside = false;
      for (const token of children ?? []) {
        const { type } = token;
        if (type === 'link_open') {
          const href = token.attrGet('href');
          outside = isOutside(href, env.relativePath ?? '');
          token.attrSet('href', href.replace(/^((?:\.\.\/)*)README\.md/, '$1index.md'));
        }
        if (outside && (type === 'link_open' || type === 'link_close')) remove(token);
        if (type === 'link_close') outside = false;
      }
    }
  });
}
