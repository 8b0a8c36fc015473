import { defineConfig } from 'vitepress';
import { apiSidebars, guideGroups } from '../../scripts/docs/sidebar.mjs';
import { diagrams, pageLinks } from '../../scripts/docs/markdown.mjs';
import { slugify } from '../../scripts/docs/slugify.mjs';

/** A marble on its line, as RxJS draws values in time. */
const icon =
  'data:image/svg+xml,' +
  encodeURIComponent(
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><path d="M0 16h32" stroke="#888" stroke-width="3"/><circle cx="16" cy="16" r="9" fill="#6d3bd6"/></svg>',
  );

export default defineConfig({
  title: 'runpod-rx',
  description: 'The RunPod Serverless queue API as RxJS Observables.',
  lang: 'en',
  // Of the pages' folder, so that `npx vitepress preview docs` finds both.
  outDir: '.vitepress/dist',
  cacheDir: '.vitepress/cache',
  rewrites: { 'README.md': 'index.md', 'decisions/README.md': 'decisions/index.md' },
  head: [['link', { rel: 'icon', href: icon }]],
  markdown: {
    // As on GitHub, so that one link is right in both places.
    anchor: { slugify },
    config: (md) => md.use(diagrams).use(pageLinks),
  },
  themeConfig: {
    nav: [
      { text: 'Guides', link: '/getting-started' },
      { text: 'API', link: '/api/' },
      { text: 'Decisions', link: '/decisions/' },
    ],
    sidebar: { '/': guideGroups(), ...apiSidebars() },
    outline: [2, 3],
    search: {
      provider: 'local',
      options: {
        // A guide says more than the entry of the reference for the same word.
        miniSearch: { searchOptions: { boostDocument: (id) => (/^\/(api|decisions)\//.test(id) ? 0.2 : 1) } },
      },
    },
  },
  vite: { build: { chunkSizeWarningLimit: 4000 } },
});
