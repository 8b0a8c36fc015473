import { dirname } from 'node:path';
import { HEADER, frameLine } from './frames.js';
import type { JournalDisk, JournalFile } from './JournalDisk.js';
import { readAt, readJournal } from './readJournal.js';
import { headAt, rowOf } from './records.js';
import { RowIndex } from './RowIndex.js';
import type { JobRow } from '../JobRow.js';

/** How many bytes of records are written at once, beyond the first record. */
const MAX_FRAME = 4 * 1024 * 1024;

/** A journal is compacted when more than so many bytes, and more than half of it, are of no use any more. */
const MIN_GARBAGE = 16 * 1024 * 1024;

interface Waiting {
  readonly record: Buffer;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * An append-only file of rows. Records that come while others are written go into the next frame together: one write and one
 * sync for all of them. What is known of the rows changes only when a record is on the disk.
 */
export class Journal {
  readonly #path: string;
  readonly #disk: JournalDisk;
  #file: JournalFile;
  #index: RowIndex;
  /** Where the next frame begins. */
  #end: number;
  #waiting: Waiting[] = [];
  #writing: Promise<void> | undefined;
  /** Why nothing can be written any more. */
  #failure: Error | undefined;

  constructor(path: string, disk: JournalDisk, opened: { file: JournalFile; index: RowIndex; end: number }) {
    this.#path = path;
    this.#disk = disk;
    this.#file = opened.file;
    this.#index = opened.index;
    this.#end = opened.end;
  }

  /** Opens a journal, and makes it where there is none. What is torn at its end is cut off. */
  static async open(path: string, disk: JournalDisk): Promise<Journal> {
    const file = await disk.open(path);
    try {
      const index = new RowIndex();
      const end = await readJournal(file, path, (payload, position) => {
        applyAll(index, payload, position);
      });
      if ((await file.size()) > end) await file.truncate(end);
      const journal = new Journal(path, disk, { file, index, end });
      if (end === 0) {
        await journal.#writeWhole(file, HEADER, 0);
        journal.#end = HEADER.length;
        await file.sync();
        await disk.syncFolder(dirname(path));
      }
      return journal;
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  get index(): RowIndex {
    return this.#index;
  }

  /** Writes a record; resolves once it is on the disk. */
  append(record: Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ record, resolve, reject });
      this.#writing ??= this.#writeAll();
    });
  }

  async read(key: string): Promise<JobRow | undefined> {
    const found = this.#index.get(key);
    if (!found) return undefined;
    const file = this.#file;
    let record: Buffer;
    try {
      record = await readAt(file, found.position, found.length);
    } catch (error) {
      // The journal was compacted meanwhile, and the old file closed.
      if (file !== this.#file) return this.read(key);
      throw error;
    }
    const now = this.#index.get(key);
    // A newer record has taken its place.
    if (now?.position !== found.position) return this.read(key);
    return rowOf(record, now.committed);
  }

  async close(): Promise<void> {
    await this.#writing;
    this.#failure ??= new Error(`the journal ${this.#path} was closed`);
    await this.#file.close();
  }

  async #writeAll(): Promise<void> {
    // What is appended in the same turn goes into one frame.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const group = this.#nextGroup();
      try {
        if (this.#failure) throw this.#failure;
        await this.#writeFrame(Buffer.concat(group.map(({ record }) => record)));
        for (const { resolve } of group) resolve();
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
      if (this.#end - this.#index.liveBytes > Math.max(MIN_GARBAGE, this.#index.liveBytes)) await this.#compact();
    }
    // In the same turn as the last look at what waits: what is appended after that must start anew.
    this.#writing = undefined;
  }

  /** Takes the records that are written next. */
  #nextGroup(): Waiting[] {
    let bytes = 0;
    const next = this.#waiting.findIndex(({ record }, index) => {
      bytes += record.length;
      return index > 0 && bytes > MAX_FRAME;
    });
    return this.#waiting.splice(0, next < 0 ? this.#waiting.length : next);
  }

  async #writeFrame(payload: Buffer): Promise<void> {
    const line = frameLine(payload);
    try {
      await this.#writeWhole(this.#file, Buffer.concat([line, payload]), this.#end);
    } catch (error) {
      // A full disk may have room again. But what came short must not stand before the next frame.
      await this.#file.truncate(this.#end).catch(() => {
        this.#failure = asError(error);
      });
      throw error;
    }
    try {
      await this.#file.sync();
    } catch (error) {
      // What the disk has is not known after that, and a second sync would not tell.
      this.#failure = asError(error);
      throw error;
    }
    applyAll(this.#index, payload, this.#end + line.length);
    this.#end += line.length + payload.length;
  }

  async #writeWhole(file: JournalFile, bytes: Buffer, position: number): Promise<void> {
    for (let written = 0; written < bytes.length;) {
      const more = await file.write(bytes.subarray(written), position + written);
      if (more <= 0) throw new Error(`${this.#path} takes no more bytes`);
      written += more;
    }
  }

  /** Writes the rows that count into a new file, which takes the place of the old one in one step. */
  async #compact(): Promise<void> {
    const path = `${this.#path}.new`;
    let file: JournalFile | undefined;
    try {
      await this.#disk.remove(path);
      file = await this.#disk.open(path);
      const index = new RowIndex();
      const end = await this.#copyRows(file, index);
      await file.sync();
      await this.#disk.rename(path, this.#path);
      await this.#disk.syncFolder(dirname(this.#path));
      const old = this.#file;
      this.#file = file;
      this.#index = index;
      this.#end = end;
      await old.close().catch(() => undefined);
    } catch {
      // The journal is as it was, and is only larger than it need be.
      if (file !== this.#file) await file?.close().catch(() => undefined);
    }
  }

  async #copyRows(file: JournalFile, index: RowIndex): Promise<number> {
    await this.#writeWhole(file, HEADER, 0);
    let end = HEADER.length;
    let group: Buffer[] = [];
    let bytes = 0;
    const flush = async () => {
      const payload = Buffer.concat(group);
      const line = frameLine(payload);
      await this.#writeWhole(file, Buffer.concat([line, payload]), end);
      applyAll(index, payload, end + line.length);
      end += line.length + payload.length;
      group = [];
      bytes = 0;
    };
    for (const key of this.#index.keys()) {
      const row = this.#index.get(key);
      if (!row) continue;
      const record = await readAt(this.#file, row.position, row.length);
      if (row.committed) record.write('E', 0);
      group.push(record);
      bytes += record.length;
      if (bytes > MAX_FRAME) await flush();
    }
    if (group.length > 0) await flush();
    return end;
  }
}

/** Has an index know the records of a frame. */
function applyAll(index: RowIndex, payload: Buffer, position: number): void {
  for (let at = 0; at < payload.length;) {
    const head = headAt(payload, at);
    if (!head) throw new Error(`the journal has a record at byte ${position + at} that this version does not know`);
    const { kind, key, committed, end } = head;
    index.apply(kind, key, { position: position + at, length: end - at, committed });
    at = end;
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
