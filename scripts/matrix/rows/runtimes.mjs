/** Runtimes other than Node and browsers. */
import { deepStrictEqual } from 'node:assert/strict';
import { join } from 'node:path';
import { build } from 'esbuild';
import { Cannot } from '../Cannot.mjs';
import { check } from '../expected.mjs';
import { application, toolFolder } from '../folders.mjs';
import { run } from '../process.mjs';

const BUN = {
  'linux-x64': '@oven/bun-linux-x64',
  'linux-arm64': '@oven/bun-linux-aarch64',
  'darwin-arm64': '@oven/bun-darwin-aarch64',
  'darwin-x64': '@oven/bun-darwin-x64',
};
const DENO = {
  'linux-x64': '@deno/linux-x64-glibc',
  'linux-arm64': '@deno/linux-arm64-glibc',
  'darwin-arm64': '@deno/darwin-arm64',
  'darwin-x64': '@deno/darwin-x64',
};

async function binary(packages, version, path) {
  const name = packages[`${process.platform}-${process.arch}`];
  if (!name) throw new Cannot(`no binary is known for ${process.platform} ${process.arch}`);
  return join(await toolFolder(name.replace('/', '-'), { [name]: version }), 'node_modules', name, path);
}

const bunRow = {
  name: 'Bun',
  transport: 'axios over `fetch`',
  needs: '–',
  async work({ packed, options }) {
    const bun = await binary(BUN, '1.4.5', 'bin/bun');
    const folder = await application(packed, 'application');
    check(JSON.parse(await run(bun, [join(folder, 'command.mjs'), JSON.stringify(options)])));
    return `Bun ${(await run(bun, ['--version'])).trim()}`;
  },
};

/** Deno may not ask, and may read nothing of the environment. */
const denoRow = {
  name: 'Deno',
  transport: 'axios over `fetch`',
  needs:
    '`--allow-net`; `--allow-env=RUNPOD_API_KEY,RUNPOD_BASE_URL,ENDPOINT_ID` only to take options from the environment',
  async work({ packed, options }) {
    const deno = await binary(DENO, '2.9.6', 'deno');
    const folder = await application(packed, 'application');
    const args = ['run', '--no-prompt', '--allow-net', join(folder, 'command.mjs'), JSON.stringify(options)];
    check(JSON.parse(await run(deno, args, { cwd: folder })), { refused: 'unknown' });
    return (await run(deno, ['--version'])).split('\n', 1)[0];
  },
};

/** Bundles the program as the tools of edge runtimes do. */
async function bundled(entry, conditions, format) {
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    format,
    platform: 'browser',
    conditions,
    logLevel: 'silent',
  });
  return outputFiles[0].text;
}

const workerdRow = {
  name: 'workerd',
  transport: 'axios over `fetch`',
  needs: '–',
  async work({ packed, options }) {
    const folder = await application(packed, 'workerd', { miniflare: '4.20260426.0' });
    const script = await bundled(join(folder, 'service.mjs'), ['workerd', 'worker', 'browser'], 'esm');
    const { Miniflare } = await import(join(folder, 'node_modules/miniflare/dist/src/index.js'));
    const miniflare = new Miniflare({ modules: true, script, compatibilityDate: '2026-04-01' });
    try {
      const response = await miniflare.dispatchFetch('http://service/', {
        method: 'POST',
        body: JSON.stringify(options),
      });
      const text = await response.text();
      if (!response.ok) throw new Error(text);
      check(JSON.parse(text), { refused: 'unknown' });
    } finally {
      await miniflare.dispose();
    }
    return 'miniflare 4.20260426.0';
  },
};

/** Three pages that wait for one job, each by a request of its own: what one of them began must not answer another. */
const workerdProxyRow = {
  name: 'workerd, as a proxy',
  transport: 'axios over `fetch`',
  needs: 'the flag `enable_request_signal` to notice pages that leave',
  async work({ packed, options }) {
    const folder = await application(packed, 'workerd', { miniflare: '4.20260426.0' });
    const script = await bundled(join(folder, 'proxy.mjs'), ['workerd', 'worker', 'browser'], 'esm');
    const { Miniflare } = await import(join(folder, 'node_modules/miniflare/dist/src/index.js'));
    const { baseUrl } = options;
    const miniflare = new Miniflare({ modules: true, script, compatibilityDate: '2026-04-01', bindings: { baseUrl } });
    try {
      const ask = async (path, body) => {
        const settings = body && { method: 'POST', headers: { 'content-type': 'application/json' }, body };
        const response = await miniflare.dispatchFetch(`http://service/api/runpod/upper/${path}`, settings);
        return response.json();
      };
      const { id } = await ask('run', JSON.stringify({ input: { prompt: 'hello' } }));
      const answers = await Promise.all([1, 2, 3].map(() => ask(`status-sync/${id}?wait=60000`)));
      deepStrictEqual(
        answers.map(({ output }) => output.text),
        ['HELLO', 'HELLO', 'HELLO'],
      );
    } finally {
      await miniflare.dispose();
    }
    return 'miniflare 4.20260426.0';
  },
};

const edgeRow = {
  name: 'edge-runtime',
  transport: 'axios over `fetch`',
  needs: '–',
  async work({ packed, options }) {
    const folder = await application(packed, 'edge-runtime', { 'edge-runtime': '4.0.1' });
    const initialCode = await bundled(join(folder, 'edge.mjs'), ['edge-light', 'worker', 'browser'], 'iife');
    const { EdgeRuntime } = await import(join(folder, 'node_modules/edge-runtime/dist/index.js'));
    const runtime = new EdgeRuntime({ initialCode });
    const response = await runtime.dispatchFetch('http://service/', { method: 'POST', body: JSON.stringify(options) });
    const text = await response.text();
    if (!response.ok) throw new Error(text);
    check(JSON.parse(text), { refused: 'known' });
    return 'edge-runtime 4.0.1';
  },
};

export const runtimeRows = [bunRow, denoRow, workerdRow, workerdProxyRow, edgeRow];
