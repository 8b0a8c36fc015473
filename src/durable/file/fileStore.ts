import { resolve } from 'node:path';
import { invalidOptions } from '../../errors/invalidOptions.js';
import { must } from '../../protocol/checks.js';
import type { RowState } from '../JobRow.js';
import type { JobStore } from '../JobStore.js';
import { FileLock } from './FileLock.js';
import { Journal } from './Journal.js';
import { nodeDisk, type JournalDisk } from './JournalDisk.js';
import { markOf, recordOf } from './records.js';

/**
 * A store in one file, without any dependency: for a process that runs jobs on one machine.
 *
 * Each change is appended, and on the disk before the method completes; changes that come at once share one sync. The file
 * is compacted when more than half of it is of no use any more. It survives `kill -9`, and a loss of power as far as the disk
 * keeps what it has synced. A write that fails, as on a full disk, fails the method, and changes nothing. The outputs are in
 * the file and not in memory; a key takes about a hundred bytes of memory.
 *
 * The file has one owner at a time, which is noted beside it, in `<path>.lock.<number>`. It is opened at the first use, which
 * fails where another process owns it; `close` gives it up, and so does the end of the process. On a disk of the network,
 * or in containers that share a folder, it cannot be told whether another owner is alive: the error then says which file to
 * remove.
 *
 * @param path - the file; it is made, readable by its owner only, where there is none
 */
export function fileStore(path: string): JobStore {
  const issues = must(typeof path === 'string' && path.length > 0, 'path', path, 'be the path of a file');
  if (issues.length) throw invalidOptions('fileStore', issues);
  return fileStoreOn(nodeDisk, path);
}

interface Opened {
  readonly journal: Journal;
  readonly lock: FileLock;
}

/** A `fileStore` on a file system of one's own, for tests. */
export function fileStoreOn(disk: JournalDisk, given: string): JobStore {
  const path = resolve(given);
  let opening: Promise<Opened> | undefined;
  let closed = false;

  const open = async (): Promise<Opened> => {
    // Makes the folder, which the lock needs.
    await (await disk.open(path)).close();
    const lock = await FileLock.take(path, disk);
    try {
      return { journal: await Journal.open(path, disk), lock };
    } catch (error) {
      await lock.release();
      throw error;
    }
  };
  const journal = async (): Promise<Journal> => {
    if (closed) throw new Error(`the store ${path} was closed`);
    opening ??= open();
    try {
      return (await opening).journal;
    } catch (error) {
      // Another process may own the file now, and not later.
      opening = undefined;
      throw error;
    }
  };

  return {
    get: async (key) => (await journal()).read(key),
    put: async (row) => (await journal()).append(recordOf(row)),
    commit: async (key) => {
      const opened = await journal();
      if (opened.index.get(key)?.state === 'ended') await opened.append(markOf('committed', key));
    },
    delete: async (key) => (await journal()).append(markOf('deleted', key)),
    rows: async function* (state?: RowState) {
      const opened = await journal();
      for (const key of [...opened.index.keys()]) {
        if (state !== undefined && opened.index.get(key)?.state !== state) continue;
        const row = await opened.read(key);
        if (row) yield row;
      }
    },
    close: async () => {
      closed = true;
      const opened = await opening?.catch(() => undefined);
      await opened?.journal.close();
      await opened?.lock.release();
    },
  };
}
