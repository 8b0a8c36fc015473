/** Line 8: what is in which chunk, by the build's own statistics. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync } from 'node:zlib';

/** The scripts that the page loads at once: the entry, and what that imports statically. */
function initialChunks({ outputs }) {
  const entries = Object.entries(outputs).filter(
    ([file, { entryPoint }]) => file.endsWith('.js') && entryPoint === 'src/main.ts',
  );
  const found = new Set();
  const add = (file) => {
    if (found.has(file) || !outputs[file]) return;
    found.add(file);
    for (const { path, kind } of outputs[file].imports) if (kind === 'import-statement') add(path);
  };
  for (const [file] of entries) add(file);
  return [...found];
}

/** The bytes of each module of a package in some chunks. */
function modulesOf({ outputs }, files, pattern) {
  return files.flatMap((file) =>
    Object.entries(outputs[file].inputs)
      .filter(([path, { bytesInOutput }]) => bytesInOutput > 0 && pattern.test(path))
      .map(([path, { bytesInOutput }]) => ({ path, bytes: bytesInOutput })),
  );
}

const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);
const OURS = /node_modules\/runpod-rx\//;

/** @param bare - the statistics of the same application without provideRunpod */
export async function bundles(report, application, bare) {
  const stats = application.stats('zoneless');
  const initial = initialChunks(stats);
  const size = (all, files) => sum(files.map((file) => all.outputs[file].bytes));
  await report.check('the initial chunks hold the configuration, and nothing of the client', async () => {
    assert.ok(initial.length > 0);
    const ours = modulesOf(stats, initial, OURS);
    assert.deepEqual(modulesOf(stats, initial, /node_modules\/(axios|undici)\//), []);
    const bytes = sum(ours.map((one) => one.bytes));
    const more = size(stats, initial) - size(bare, initialChunks(bare));
    console.log(
      `    ${bytes} bytes of runpod-rx in the initial chunks; ${more} bytes beside the application without it`,
    );
    assert.ok(bytes > 0 && bytes <= 2_000, `${bytes} bytes: ${JSON.stringify(ours)}`);
    assert.ok(more <= 4_000, `${more} bytes`);
  });
  await report.check(
    'the lazy chunk with client and adapter is within its budget, without axios and pushed events',
    async () => {
      const lazy = Object.keys(stats.outputs).filter((file) => file.endsWith('.js') && !initial.includes(file));
      assert.deepEqual(modulesOf(stats, lazy, /node_modules\/(axios|undici)\//), []);
      const [file] = lazy.filter((one) => modulesOf(stats, [one], /runpod-rx\/dist\/angular\/client\.js$/).length > 0);
      assert.deepEqual(modulesOf(stats, [file], /eventNotices/), []);
      const raw = stats.outputs[file].bytes;
      const transferred = brotliCompressSync(
        readFileSync(join(application.folder, 'builds/zoneless/browser', file)),
      ).length;
      console.log(`    the lazy chunk: ${raw} bytes, ${transferred} transferred`);
      assert.ok(raw <= LAZY_RAW, `${raw} bytes`);
      assert.ok(transferred <= LAZY_TRANSFERRED, `${transferred} bytes transferred`);
    },
  );
}

/** With the page that uses it. All but some 15 kB is the client, whose budget is 43 KB gzipped: see docs/decisions/0008-size.md. */
const LAZY_RAW = 149_000;
const LAZY_TRANSFERRED = 45_000;
