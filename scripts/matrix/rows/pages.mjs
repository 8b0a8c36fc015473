/** Bundles for browsers, each run in Chromium. */
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { extname, join } from 'node:path';
import { Cannot } from '../Cannot.mjs';
import { check } from '../expected.mjs';
import { application, toolFolder } from '../folders.mjs';
import { run } from '../process.mjs';
import { emptied, ROLLUP } from './node.mjs';

const CHROMIUM = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const FLAGS = ['--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update'];
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.mjs': 'text/javascript' };

/** Serves a folder, and passes requests for the API on to the emulator: the page needs no other origin. */
async function serve(folder, target) {
  const server = createServer((incoming, answer) => {
    const path = new URL(incoming.url, 'http://localhost').pathname;
    if (path.startsWith('/v2/')) {
      const { method, url, headers } = incoming;
      const { authorization, 'content-type': type } = headers;
      const sent = { ...(authorization && { authorization }), ...(type && { 'content-type': type }) };
      const outgoing = request(new URL(url, target), { method, headers: sent }, (received) => {
        answer.writeHead(received.statusCode, received.headers);
        received.pipe(answer);
      });
      outgoing.on('error', () => answer.destroy());
      incoming.pipe(outgoing);
      return;
    }
    const file = join(folder, path === '/' ? 'index.html' : path);
    if (!existsSync(file)) return void answer.writeHead(404).end();
    answer.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream' });
    answer.end(readFileSync(file));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { url: `http://127.0.0.1:${server.address().port}/`, close };
}

/** Runs the program in a page, or in a worker of it. */
async function inChromium(folder, { baseUrl, ...options }, worker) {
  const executablePath = CHROMIUM.find((path) => path && existsSync(path));
  if (!executablePath) throw new Cannot('there is no Chromium: install it, or set CHROMIUM to its path');
  const tools = await toolFolder('playwright', { 'playwright-core': '1.65.1' });
  const { chromium } = (await import(join(tools, 'node_modules/playwright-core/index.js'))).default;
  const { url, close } = await serve(folder, baseUrl);
  const browser = await chromium.launch({ executablePath, args: FLAGS, chromiumSandbox: false });
  try {
    const page = await browser.newPage();
    const problems = [];
    page.on('pageerror', (error) => problems.push(String(error)));
    await page.goto(url, { timeout: 120_000 });
    const given = { ...options, baseUrl: '/v2' };
    const inPage = (input) => globalThis.runProgram(input);
    const inWorker = ([file, data]) =>
      new Promise((resolve, reject) => {
        const started = new globalThis.Worker(file, { type: 'module' });
        started.onerror = ({ message }) => reject(new Error(message));
        started.onmessage = ({ data: { result, error } }) => (error ? reject(new Error(error)) : resolve(result));
        started.postMessage(data);
      });
    const seen = worker ? page.evaluate(inWorker, [worker, given]) : page.evaluate(inPage, given);
    const result = await seen.catch((error) => {
      throw new Error([String(error), ...problems].join('\n'));
    });
    check(result, { page: true, refused: 'unknown' });
    return `Chromium ${browser.version()}`;
  } finally {
    await browser.close();
    close();
  }
}

const html = (script) => `<!doctype html><meta charset="utf-8"><script type="module" src="${script}"></script>`;

/** Throws where a bundle names a module of Node. */
function checkNoNode(folder) {
  const files = readdirSync(folder, { recursive: true }).filter((file) => /\.m?js$/.test(file));
  for (const file of files) {
    const [found] = /["'`]node:[a-z]+|__vite-browser-external/.exec(readFileSync(join(folder, file), 'utf8')) ?? [];
    if (found) throw new Error(`${file} names ${found}`);
  }
}

const pageRow = (name, dependencies, bundle, { worker, needs = '–' } = {}) => ({
  name,
  transport: 'axios over `fetch`',
  needs,
  async work({ packed, options, temp }) {
    const folder = await application(packed, name.split(/[, ]/, 1)[0].toLowerCase(), dependencies);
    const output = emptied(join(temp, name.replace(/\W+/g, '-')));
    await bundle({ folder, output, load: (path) => import(join(folder, 'node_modules', path)) });
    checkNoNode(output);
    return inChromium(output, options, worker);
  },
});

const vite = async ({ folder, output, load }) => {
  const { build } = await load('vite/dist/node/index.js');
  writeFileSync(join(folder, 'index.html'), html('/page.mjs'));
  await build({ root: folder, configFile: false, logLevel: 'silent', build: { outDir: output, emptyOutDir: true } });
};

const viteWorker = async ({ folder, output, load }) => {
  const { build } = await load('vite/dist/node/index.js');
  const rollupOptions = { input: join(folder, 'worker.mjs'), output: { entryFileNames: 'worker.js' } };
  await build({ root: folder, configFile: false, logLevel: 'silent', build: { outDir: output, rollupOptions } });
  writeFileSync(join(output, 'index.html'), html('data:text/javascript,'));
};

const webpack = async ({ folder, output, load }) => {
  const { default: bundler } = await load('webpack/lib/index.js');
  const entry = join(folder, 'page.mjs');
  await new Promise((resolve, reject) => {
    bundler({ mode: 'production', context: folder, entry, output: { path: output } }, (error, stats) => {
      if (error || stats.hasErrors()) reject(error ?? new Error(stats.toString('errors-only')));
      else resolve();
    });
  });
  writeFileSync(join(output, 'index.html'), html('/main.js'));
};

const rollup = async ({ folder, output, load }) => {
  const bundler = await load('rollup/dist/es/rollup.js');
  const { default: nodeResolve } = await load('@rollup/plugin-node-resolve/dist/es/index.js');
  const bundle = await bundler.rollup({
    input: join(folder, 'page.mjs'),
    plugins: [nodeResolve({ browser: true })],
    onwarn: () => undefined,
  });
  await bundle.write({ dir: output, format: 'es' });
  writeFileSync(join(output, 'index.html'), html('/page.js'));
};

const parcel = async ({ folder, output }) => {
  const source = join(folder, 'page.html');
  writeFileSync(source, html('./page.mjs'));
  const cli = join(folder, 'node_modules/parcel/lib/bin.js');
  const args = ['build', source, '--dist-dir', output, '--cache-dir', join(output, '.cache'), '--no-source-maps'];
  await run(process.execPath, [cli, ...args], { cwd: folder });
  writeFileSync(join(output, 'index.html'), readFileSync(join(output, 'page.html')));
};

export const pageRows = [
  pageRow('Vite', { vite: '8.3.8' }, vite),
  pageRow('Vite, web worker', { vite: '8.3.8' }, viteWorker, { worker: '/worker.js' }),
  pageRow('webpack', { webpack: '5.113.0' }, webpack),
  pageRow('Rollup', ROLLUP, rollup, { needs: '`browser: true` of the plugin node-resolve' }),
  pageRow('Parcel', { parcel: '2.16.4' }, parcel),
];
