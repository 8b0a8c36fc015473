import type { JournalDisk, JournalFile } from '../../../src/durable/file/JournalDisk.js';

/** What can go wrong with a file. */
export interface Faults {
  /** How many bytes the disk has room for; the rest of a write comes short, and the next one fails. */
  room?: number;
  /** The most that one write takes, in bytes. */
  most?: number;
  /** Whether the disk fails to sync. */
  noSync?: boolean;
  /** Whether a file cannot be cut. */
  noTruncate?: boolean;
}

/** A file system in memory that fails as the test says. `files` is what a crash leaves. */
export function faultyDisk(faults: Faults = {}) {
  const files = new Map<string, Buffer>();
  const syncs: string[] = [];
  const full = () => Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
  const open = (opened: string): JournalFile => {
    // A renamed file stays open.
    let path = opened;
    moved.push((from, to) => {
      if (path === from) path = to;
    });
    const bytes = () => files.get(path) ?? Buffer.alloc(0);
    return {
      size: () => Promise.resolve(bytes().length),
      read: (into, position) => Promise.resolve(bytes().copy(into, 0, position, position + into.length)),
      write: (given, position) => {
        const room = faults.room ?? Infinity;
        const taken = given.subarray(0, Math.min(given.length, faults.most ?? Infinity, room));
        if (taken.length === 0) return Promise.reject(full());
        if (faults.room !== undefined) faults.room -= taken.length;
        const grown = Buffer.alloc(Math.max(bytes().length, position + taken.length));
        bytes().copy(grown);
        grown.set(taken, position);
        files.set(path, grown);
        return Promise.resolve(taken.length);
      },
      sync: () => {
        syncs.push(path);
        return faults.noSync ? Promise.reject(new Error('EIO: i/o error')) : Promise.resolve();
      },
      truncate: (size) => {
        if (faults.noTruncate) return Promise.reject(new Error('EIO: i/o error'));
        files.set(path, Buffer.from(bytes().subarray(0, size)));
        return Promise.resolve();
      },
      close: () => Promise.resolve(),
    };
  };
  const moved: ((from: string, to: string) => void)[] = [];
  const texts = new Map<string, string>();
  const disk: JournalDisk = {
    open: (path) => {
      if (!files.has(path)) files.set(path, Buffer.alloc(0));
      return Promise.resolve(open(path));
    },
    rename: (from, to) => {
      const bytes = files.get(from);
      const text = texts.get(from);
      if (bytes) files.set(to, bytes);
      if (text !== undefined) texts.set(to, text);
      files.delete(from);
      texts.delete(from);
      for (const move of moved) move(from, to);
      return Promise.resolve();
    },
    syncFolder: () => Promise.resolve(),
    link: (from, to) => {
      if (texts.has(to)) return Promise.reject(Object.assign(new Error('EEXIST'), { code: 'EEXIST' }));
      texts.set(to, texts.get(from) ?? '');
      return Promise.resolve();
    },
    list: () => Promise.resolve([...texts.keys()].map((path) => path.slice(path.lastIndexOf('/') + 1))),
    readText: (path) => Promise.resolve(texts.get(path) ?? ''),
    writeText: (path, text) => {
      texts.set(path, text);
      return Promise.resolve();
    },
    remove: (path) => {
      texts.delete(path);
      files.delete(path);
      return Promise.resolve();
    },
  };
  return { disk, files, texts, faults, syncs };
}
