import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync } from 'node:zlib';
import { buildSync } from 'esbuild';

const root = fileURLToPath(new URL('../..', import.meta.url));
const source = join(root, 'src/dashboard');

/** Bundles the dashboard's page: its HTML, its styles and its script, which holds the client. */
export function buildDashboard() {
  const bundle = (entry) => {
    const { outputFiles, metafile } = buildSync({
      entryPoints: [join(source, entry)],
      absWorkingDir: root,
      bundle: true,
      minify: true,
      write: false,
      metafile: true,
      format: 'esm',
      platform: 'browser',
      target: 'es2022',
      // Only axios needs it, and the page sends by `fetch`.
      external: ['#adapter'],
      outdir: 'out',
      logLevel: 'silent',
    });
    return { text: outputFiles[0].text, metafile };
  };
  const script = bundle('main.ts');
  return {
    html: readFileSync(join(source, 'index.html'), 'utf8'),
    css: bundle('page.css').text,
    script: script.text,
    metafile: script.metafile,
  };
}

/**
 * The same as the text of a module, which `#dashboard` of package.json leads to. CommonJS, which both kinds can load. The page is
 * compressed, for the sake of the package's size.
 */
export function dashboardModule() {
  const { html, css, script } = buildDashboard();
  const page = brotliCompressSync(JSON.stringify({ html, css, script })).toString('base64');
  return [
    // Not `require`: a bundler may put the file into an ES module.
    "const { brotliDecompressSync } = process.getBuiltinModule('node:zlib');",
    `const page = brotliDecompressSync(Buffer.from('${page}', 'base64'));`,
    'module.exports = JSON.parse(page.toString());',
    '',
  ].join('\n');
}
