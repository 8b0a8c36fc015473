/**
 * What the embedded store of `runpod-rx/durable` costs: how long a journal of a million rows takes to open, and how much
 * memory a row takes then; and how many rows a second are written, from `sending` to `ended`, with 50 of them in flight.
 */
import { fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fileStore } from 'runpod-rx/durable';

const ASKED = { openSeconds: 6, bytesPerRow: 150, rowsPerSecond: 2_000 };
const IN_FLIGHT = 50;

/** @returns {Promise<import('./measure.mjs').Measurement>} */
export async function journal({ quick = false } = {}) {
  const rows = quick ? 100_000 : 1_000_000;
  const folder = mkdtempSync(join(tmpdir(), 'runpod-rx-journal-'));
  try {
    const path = join(folder, 'jobs.journal');
    await fill(path, rows);
    const opened = await openElsewhere(path);
    const rowsPerSecond = await write(join(folder, 'other.journal'), quick ? 4_000 : 20_000);
    const seconds = (opened.seconds / rows) * 1_000_000;
    return {
      name: 'journal: a million rows, and rows a second',
      ok:
        seconds <= ASKED.openSeconds &&
        opened.bytesPerRow <= ASKED.bytesPerRow &&
        rowsPerSecond >= ASKED.rowsPerSecond &&
        opened.rows === rows,
      asked: ASKED,
      rows,
      openSeconds: Number(opened.seconds.toFixed(2)),
      bytesPerRow: Math.round(opened.bytesPerRow),
      rowsPerSecond: Math.round(rowsPerSecond),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const row = (key, more) => ({ key, fingerprint: 'f'.repeat(32), generation: 1, ...more });
const ref = (key) => ({ v: 1, endpointId: 'demo', id: `${key}-5f0c4a1e-u1`, submittedAt: 1_700_000_000_000, tag: key });
const ended = (key) =>
  row(key, {
    state: 'ended',
    ref: ref(key),
    end: { job: { id: key, status: 'COMPLETED', output: { text: 'x'.repeat(100) } } },
  });

/** Writes so many rows that have ended. */
async function fill(path, rows) {
  const store = fileStore(path);
  for (let at = 0; at < rows; at += 5_000) {
    const keys = Array.from({ length: Math.min(5_000, rows - at) }, (_, n) => `order-${at + n}`);
    await Promise.all(keys.map((key) => store.put(ended(key))));
  }
  await store.close();
}

/** Opens a journal in a process of its own, which has no other memory. */
function openElsewhere(path) {
  const script = fileURLToPath(new URL('journal/open.mjs', import.meta.url));
  return new Promise((resolve, reject) => {
    const child = fork(script, [path], { execArgv: ['--expose-gc'] });
    child.once('message', resolve);
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`${script} ended with ${code}`)));
  });
}

/** Takes rows from `sending` to `ended`, so many at a time, each change after the one before. */
async function write(path, rows) {
  const store = fileStore(path);
  await store.get('none');
  let next = 0;
  const startedAt = performance.now();
  const lane = async () => {
    while (next < rows) {
      const key = `order-${next++}`;
      await store.put(row(key, { state: 'sending', sentAt: 1 }));
      await store.put(row(key, { state: 'submitted', ref: ref(key) }));
      await store.put(ended(key));
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
  const seconds = (performance.now() - startedAt) / 1000;
  await store.close();
  return rows / seconds;
}
