import { constants, link, mkdir, open, readFile, readdir, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { writeNewFile } from './writeNewFile.js';

/** An open file of a journal. */
export interface JournalFile {
  size(): Promise<number>;
  /** Reads at a position; gives how many bytes it has read, 0 at the end. */
  read(into: Uint8Array, position: number): Promise<number>;
  /** Writes at a position; gives how many bytes it has written, which may be fewer. */
  write(bytes: Uint8Array, position: number): Promise<number>;
  /** Resolves once what was written survives a loss of power. */
  sync(): Promise<void>;
  truncate(size: number): Promise<void>;
  close(): Promise<void>;
}

/** The file system, as far as a journal needs it. Tests put one in its place that fails. */
export interface JournalDisk {
  /** Opens a file to read and write, and makes it, and its folder, where there is none. */
  open(path: string): Promise<JournalFile>;
  rename(from: string, to: string): Promise<void>;
  /** Makes the names of the files in a folder survive a loss of power. */
  syncFolder(path: string): Promise<void>;
  /** Gives a file another name as well, in one step; errors with `EEXIST` where the name is taken. */
  link(from: string, to: string): Promise<void>;
  list(folder: string): Promise<string[]>;
  readText(path: string): Promise<string>;
  /** Makes a file with a text. Where that fails, there is no such file. */
  writeText(path: string, text: string): Promise<void>;
  /** Removes a file, if it is there. */
  remove(path: string): Promise<void>;
}

/** The file system of Node. */
export const nodeDisk: JournalDisk = {
  open: async (path) => {
    await mkdir(dirname(path), { recursive: true });
    // Appends nowhere by itself: what came short is written over.
    const handle = await open(path, constants.O_RDWR | constants.O_CREAT, 0o600);
    return {
      size: async () => (await handle.stat()).size,
      read: async (into, position) => (await handle.read(into, 0, into.length, position)).bytesRead,
      write: async (bytes, position) => (await handle.write(bytes, 0, bytes.length, position)).bytesWritten,
      sync: () => handle.datasync(),
      truncate: (size) => handle.truncate(size),
      close: () => handle.close(),
    };
  },
  rename,
  syncFolder: async (path) => {
    // Windows has no such thing.
    const folder = await open(path, 'r').catch(() => undefined);
    await folder?.sync().catch(() => undefined);
    await folder?.close();
  },
  link,
  list: (folder) => readdir(folder),
  readText: (path) => readFile(path, 'utf8'),
  writeText: (path, text) => writeNewFile(path, text, 0o600),
  remove: (path) => unlink(path).catch(() => undefined),
};
