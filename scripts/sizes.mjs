/**
 * What the package weighs in a browser: bundled from dist/ by its public entry points as an application does it,
 * minified and gzipped: every chunk that is loaded at once. rxjs is left out: an application that uses this library has it
 * already.
 *
 *   node scripts/sizes.mjs [--json]      fails over budget, or when a Node module gets into a browser bundle; says when
 *                                        less slack is left than agreed
 *   node scripts/sizes.mjs --why         which files of src/ make up createRunpod
 */
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const KB = 1024;

// A bundler drops unused exports, but never unused methods of a class. So a bundle with `createRunpod` holds every method
// of the client, its endpoints and its jobs.
const bundles = [
  { name: 'operators', code: `export * from 'runpod-rx/operators'`, budget: () => 4 * KB },
  {
    name: 'createRunpod',
    code: `import { createRunpod } from 'runpod-rx'; globalThis.x = createRunpod`,
    budget: () => 43 * KB,
    // For clear code: see docs/decisions/0008-size.md.
    slack: 2 * KB,
  },
  {
    name: 'runpod',
    code: `import { runpod } from 'runpod-rx'; globalThis.x = runpod`,
    budget: (sizes) => sizes.createRunpod + 24 * KB,
    note: 'with axios; the budget is 24 KB on top of createRunpod',
  },
  {
    name: 'fetch',
    code: `export * from 'runpod-rx/fetch'`,
    budget: () => 2 * KB,
  },
  {
    name: 'events',
    code: `export * from 'runpod-rx/events'`,
    budget: () => 2 * KB,
  },
  {
    // Beside a client.
    name: 'batch',
    code: `import * as client from 'runpod-rx'; import * as batch from 'runpod-rx/batch'; globalThis.x = [client.createRunpod, batch]`,
    budget: (sizes) => sizes.createRunpod + 8 * KB,
    note: 'the budget is 8 KB on top of createRunpod',
  },
  {
    name: 'angular',
    code: `import * as angular from 'runpod-rx/angular'; import { runAll } from 'runpod-rx'; globalThis.x = [angular, runAll]`,
    // A pipeline's view needs `runAll`; `fetch` is in it, too. Pushed events are a chunk of their own.
    budget: (sizes) => sizes.createRunpod + 11.5 * KB,
    note: 'the budget is 11.5 KB on top of createRunpod',
  },
  { name: 'everything', code: `export * from 'runpod-rx'; export * from 'runpod-rx/operators'` },
  { name: 'testing', code: `export * from 'runpod-rx/testing'` },
];

async function weigh(code) {
  const { outputFiles, metafile } = await build({
    stdin: { contents: code, resolveDir: root, sourcefile: 'application.js' },
    absWorkingDir: root,
    // Without the paths of this repository's tsconfig.json, which lead to src/.
    tsconfigRaw: '{}',
    bundle: true,
    write: false,
    metafile: true,
    minify: true,
    splitting: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    outdir: 'out',
    external: ['rxjs', '@angular/core', '@angular/common'],
    logLevel: 'silent',
  });
  // From the outputs, since `metafile.inputs` also lists files of which the bundle holds nothing.
  const inputs = Object.values(metafile.outputs).flatMap(({ inputs }) =>
    Object.entries(inputs).flatMap(([file, { bytesInOutput }]) => (bytesInOutput > 0 ? [file] : [])),
  );
  const external = Object.values(metafile.outputs).flatMap(({ imports }) => imports.filter((one) => one.external));
  const strangers = [
    ...inputs.filter(
      (input) => /(^|\/)node_modules\/undici\//.test(input) || /adapter\.node|undici\.bundled/.test(input),
    ),
    ...external.map(({ path }) => path).filter((path) => !/^(rxjs|@angular\/(core|common))(\/|$)/.test(path)),
    // The bundler does not see a specifier that is computed; it shows as text only.
    ...(outputFiles.some(({ text }) => /["'`]node:[a-z]/.test(text))
      ? ['a node: module, by its name in the text']
      : []),
  ];
  const atOnce = chunksAtOnce(metafile);
  const chunks = outputFiles.filter(({ path }) => atOnce.has(relative(root, path)));
  return {
    minified: chunks.reduce((sum, { contents }) => sum + contents.length, 0),
    gzipped: chunks.reduce((sum, { contents }) => sum + gzipSync(contents, { level: 9 }).length, 0),
    axios: inputs.some((input) => /(^|\/)node_modules\/axios\//.test(input)),
    strangers: [...new Set(strangers)],
  };
}

/** The chunks that an application loads with its first one: those that a chunk imports when it is used are left out. */
function chunksAtOnce({ outputs }) {
  const found = new Set(Object.keys(outputs).filter((file) => outputs[file].entryPoint === 'application.js'));
  // A set goes on with what is added to it.
  for (const file of found)
    for (const { path, kind, external } of outputs[file].imports)
      if (kind === 'import-statement' && !external) found.add(path);
  return found;
}

/** Prints the minified bytes of each source file in a bundle. The bundle is made from src/, since dist/ has joined the files. */
async function why(code) {
  const { metafile } = await build({
    stdin: { contents: code, resolveDir: root },
    absWorkingDir: root,
    bundle: true,
    write: false,
    metafile: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    platform: 'browser',
    external: ['rxjs', 'axios', '#adapter'],
  });
  const files = Object.values(metafile.outputs).flatMap(({ inputs }) => Object.entries(inputs));
  for (const [file, { bytesInOutput }] of files.sort(([, a], [, b]) => b.bytesInOutput - a.bytesInOutput))
    if (bytesInOutput > 0) console.log(`${String(bytesInOutput).padStart(6)}  ${file}`);
}

if (process.argv.includes('--why')) {
  await why(bundles[1].code);
  process.exit();
}

const sizes = {};
const rows = [];
for (const { name, code, budget, slack, note } of bundles) {
  try {
    const { minified, gzipped, axios, strangers } = await weigh(code);
    sizes[name] = gzipped;
    const limit = budget?.(sizes);
    const faults = [
      ...strangers.map((stranger) => `contains ${stranger}`),
      ...(axios && name !== 'runpod' && name !== 'everything' ? ['contains axios'] : []),
      ...(limit !== undefined && gzipped > limit ? [`${gzipped - limit} bytes over budget`] : []),
    ];
    const missing = slack === undefined ? 0 : gzipped + slack - limit;
    const remark = missing > 0 ? `within the budget, but ${missing} bytes too large for the slack of ${slack}` : note;
    rows.push({
      name,
      minified,
      gzipped,
      ...(limit !== undefined && { budget: limit }),
      ...(remark !== undefined && { note: remark }),
      faults,
    });
  } catch (error) {
    rows.push({
      name,
      faults: [[...new Set(error.errors?.map(({ text }) => text))].slice(0, 5).join('; ') || error.message],
    });
  }
}

const failed = rows.some(({ faults }) => faults.length > 0);
if (process.argv.includes('--json')) {
  console.log(JSON.stringify({ ok: !failed, bundles: rows }, null, 2));
} else {
  const column = (value, width) => String(value ?? '').padStart(width);
  console.log(`${'bundle'.padEnd(14)}${column('minified', 10)}${column('gzipped', 10)}${column('budget', 10)}`);
  for (const { name, minified, gzipped, budget, note, faults } of rows) {
    const remark = faults.length > 0 ? `  ✗ ${faults.join(', ')}` : note ? `  (${note})` : '';
    console.log(`${name.padEnd(14)}${column(minified, 10)}${column(gzipped, 10)}${column(budget, 10)}${remark}`);
  }
}
process.exitCode = failed ? 1 : 0;
