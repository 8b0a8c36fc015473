import { basename, dirname, join } from 'node:path';
import type { JournalDisk } from './JournalDisk.js';
import { livenessOf, ownIdentity, type ProcessIdentity } from './processIdentity.js';

/** What stands in the lock file of an owner that has given the journal up. */
const FREE = 'free';

/** How many older lock files are kept: one that a slow process may still try to make must not be free again. */
const OLDER_KEPT = 16;

/**
 * One owner at a time, for a file: also where two processes find that of a killed one at once.
 *
 * Owners are numbered. An owner holds the lock file with the highest number, which says who it is. Who wants to be the next
 * makes the file with the next number, in one step that succeeds for one process only. It may do so where the owner before
 * has given up, or is known to be dead.
 */
export class FileLock {
  readonly #disk: JournalDisk;
  readonly #file: string;
  readonly #temporary: string;

  constructor(disk: JournalDisk, file: string, temporary: string) {
    this.#disk = disk;
    this.#file = file;
    this.#temporary = temporary;
  }

  /** Errors where somebody else owns the file, or where it cannot be told whether somebody does. */
  static async take(path: string, disk: JournalDisk): Promise<FileLock> {
    const own = await ownIdentity();
    const folder = dirname(path);
    const prefix = `${basename(path)}.lock.`;
    const fileOf = (number: number) => join(folder, `${prefix}${number}`);
    const numbers = async () =>
      (await disk.list(folder))
        .filter((name) => name.startsWith(prefix))
        .map((name) => Number(name.slice(prefix.length)))
        .filter(Number.isSafeInteger)
        .sort((a, b) => b - a);
    // By chance, since threads of one process may want the file at once.
    const temporary = join(folder, `${prefix}${own.pid}-${crypto.randomUUID()}`);
    await disk.writeText(temporary, JSON.stringify(own));
    try {
      const [last = 0] = await numbers();
      if (last > 0) await assertFree(path, await disk.readText(fileOf(last)), fileOf(last), own);
      await disk.link(temporary, fileOf(last + 1)).catch((error: unknown) => {
        if ((error as { readonly code?: string }).code === 'EEXIST')
          throw ownedError(path, 'another process, just now');
        throw error;
      });
      const [highest = 0, ...older] = await numbers();
      // A very slow process has made a file again that was removed: others own the journal since.
      if (highest !== last + 1) throw ownedError(path, 'another process');
      for (const number of older.slice(OLDER_KEPT)) await disk.remove(fileOf(number));
      return new FileLock(disk, fileOf(last + 1), temporary);
    } finally {
      await disk.remove(temporary);
    }
  }

  /** Gives the file up. */
  async release(): Promise<void> {
    await this.#disk.writeText(this.#temporary, FREE);
    await this.#disk.rename(this.#temporary, this.#file);
  }
}

async function assertFree(path: string, text: string, lockFile: string, own: ProcessIdentity): Promise<void> {
  if (text === FREE) return;
  const holder = identityOf(text);
  const liveness = holder ? await livenessOf(holder, own) : 'unknown';
  if (liveness === 'dead') return;
  const who = holder ? `process ${holder.pid} on ${holder.host}` : 'a process that its lock file does not name';
  const hint =
    liveness === 'unknown'
      ? `. Whether it still runs cannot be told from here: if it does not, remove ${lockFile}`
      : '';
  throw ownedError(path, `${who}${hint}`);
}

function identityOf(text: string): ProcessIdentity | undefined {
  try {
    const found = JSON.parse(text) as Partial<ProcessIdentity> | null;
    return typeof found?.pid === 'number' ? (found as ProcessIdentity) : undefined;
  } catch {
    return undefined;
  }
}

function ownedError(path: string, who: string): Error {
  return new Error(`${path} is owned by ${who}`);
}
