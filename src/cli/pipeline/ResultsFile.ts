import { closeSync, fstatSync, ftruncateSync, openSync, readSync, rmSync, statSync, writeSync } from 'node:fs';
import { refused } from '../jobs/refused.js';

/** How much is read at a time, in bytes. */
const BLOCK = 1 << 20;

const LINE_FEED = 10;

/** How each line begins, but for the digits of its number. */
const BEGINNING = '{"line":,"key":"';

/** What a line of results has at least. */
interface Line {
  readonly line: number;
  readonly key: string;
  /** The id of the job, where there was one. */
  readonly id?: string;
}

/**
 * A file of results in JSON Lines that is only ever appended to. A line that a crash has cut is removed when the file is
 * opened, so that each line is whole, and each job is there once.
 */
export class ResultsFile {
  readonly #path: string;
  readonly #member: 'output' | 'error';
  readonly #descriptor: number;
  /** The names of the lines: of their inputs and jobs. A key that the journal has forgotten has a new job, and a line of its own. */
  readonly #names = new Set<string>();
  #size = 0;

  /**
   * Opens the file, or makes it. Throws where it is no file of results: nothing in it is changed then.
   *
   * @param member - what each line has beside its place
   */
  constructor(path: string, member: 'output' | 'error') {
    this.#path = path;
    this.#member = member;
    this.#descriptor = open(path);
    try {
      this.#readNames();
      // What follows the last line feed was not written whole.
      ftruncateSync(this.#descriptor, this.#size);
    } catch (error) {
      closeSync(this.#descriptor);
      throw error;
    }
  }

  /** How many results the file has. */
  get count(): number {
    return this.#names.size;
  }

  /** Appends a result, unless the file has that of the same job. Throws where it could not be written whole. */
  append(record: Line): void {
    if (this.#names.has(nameOf(record))) return;
    const line = Buffer.from(`${JSON.stringify(record)}\n`);
    try {
      // A write may come short, as on a disk that is nearly full.
      for (let written = 0; written < line.length;) written += writeSync(this.#descriptor, line, written);
    } catch (error) {
      ftruncateSync(this.#descriptor, this.#size);
      throw error;
    }
    this.#size += line.length;
    this.#names.add(nameOf(record));
  }

  /** Removes all results. */
  clear(): void {
    ftruncateSync(this.#descriptor, 0);
    this.#names.clear();
    this.#size = 0;
  }

  /** Closes the file. One without results is removed. */
  close(): void {
    closeSync(this.#descriptor);
    if (this.#size === 0) rmSync(this.#path, { force: true });
  }

  #readNames(): void {
    const block = Buffer.alloc(Math.min(BLOCK, fstatSync(this.#descriptor).size));
    let rest = Buffer.alloc(0);
    for (let position = 0, lines = 0; ;) {
      const length = readSync(this.#descriptor, block, 0, block.length, position);
      if (length === 0) {
        if (!isCutLine(rest)) throw this.#foreignLine(lines + 1);
        return;
      }
      position += length;
      const bytes = Buffer.concat([rest, block.subarray(0, length)]);
      let start = 0;
      for (let end = bytes.indexOf(LINE_FEED); end >= 0; end = bytes.indexOf(LINE_FEED, start)) {
        lines += 1;
        this.#names.add(this.#nameOf(bytes.toString('utf8', start, end), lines));
        start = end + 1;
      }
      this.#size += start;
      rest = bytes.subarray(start);
    }
  }

  #nameOf(text: string, number: number): string {
    try {
      const found = JSON.parse(text) as Partial<Line>;
      if (typeof found.key === 'string' && typeof found.line === 'number' && this.#member in found)
        return nameOf(found as Line);
    } catch {
      // It is no result either.
    }
    throw this.#foreignLine(number);
  }

  #foreignLine(number: number): Error {
    return refused(`line ${number} of ${this.#path} was not written by this command: name another file`);
  }
}

/** Whether bytes at the end of the file may be a line that was not written whole. Others are not ours to remove. */
function isCutLine(bytes: Buffer): boolean {
  const head = bytes.toString('utf8', 0, 64).replace(/^(\{"line":)\d+/, '$1');
  return BEGINNING.startsWith(head.slice(0, BEGINNING.length));
}

function nameOf({ key, id = '' }: Line): string {
  return `${id} ${key}`;
}

/** Opens a file to read and to append. Devices and pipes keep nothing that a later run could go on from. */
function open(path: string): number {
  try {
    if (statSync(path, { throwIfNoEntry: false })?.isFile() === false) throw refused(`${path} must be a file`);
    return openSync(path, 'a+');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw code?.startsWith('E') ? refused(`${path} cannot be written: ${code}`) : error;
  }
}
