import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { invalidOptions } from '../../errors/invalidOptions.js';
import { must } from '../../protocol/checks.js';
import type { BatchRecord, BatchStore } from '../../batch/BatchStore.js';
import { writeNewFile } from './writeNewFile.js';

/**
 * A store for runs of `runpod-rx/batch` in a folder of small files, one for each batch of the run. A record is on the disk, whole,
 * before its write completes.
 *
 * ```ts
 * batches(endpoint).run(requests, { store: batchFolder('nightly') });
 * ```
 *
 * A folder is for one run: another one needs another folder. One process at a time may run it, and nothing checks that.
 */
export function batchFolder(folder: string): BatchStore {
  const issues = must(typeof folder === 'string' && folder.length > 0, 'folder', folder, 'be the path of a folder');
  if (issues.length) throw invalidOptions('batchFolder', issues);
  const pathOf = (number: number) => join(folder, `${number}.json`);
  return {
    read: async () => {
      const names = await readdir(folder).catch(noneIfMissing);
      const records = names
        .filter((name) => /^\d+\.json$/.test(name))
        .map((name) => readFile(join(folder, name), 'utf8'));
      return (await Promise.all(records)).map((text) => JSON.parse(text) as BatchRecord);
    },
    write: async (record) => {
      await mkdir(folder, { recursive: true });
      const path = join(folder, `${randomUUID()}.new`);
      await writeNewFile(path, JSON.stringify(record));
      await rename(path, pathOf(record.number));
      await syncFolder(folder);
    },
  };
}

/** A folder that cannot be read is an error: its batches would run once more. */
function noneIfMissing(error: NodeJS.ErrnoException): string[] {
  if (error.code === 'ENOENT') return [];
  throw error;
}

/** A name is on the disk once its folder is. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
