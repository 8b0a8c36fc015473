import { defineConfig } from 'vitepress';
import { apiSidebars, guideGroups } from '../../scripts/docs/sidebar.mjs';
import { diagrams, pageLinks } from '../../scripts/docs/markdown.mjs';
import { slugify } from '../../scripts/docs/slugify.mjs';

export default defineConfig({
  title: 'runpod-rx',
  description: 'The RunPod Serverless queue API as RxJS Observables.',
  lang: 'en',
  // Of the pages' folder, so that `npx vitepress preview docs` finds both.
  outDir: '.vitepress/dist',
  cacheDir: '.vitepress/cache',
  rewrites: { 'README.md': 'index.md', 'decisions/README.md': 'decisions/index.md' },
  lastUpdated: false,
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
    search: { provider: 'local' },
  },
  vite: { build: { chunkSizeWarningLimit: 4000 } },
});
