import { exceeds } from './bytes.js';
import { writeJson } from './relayed.js';

/** Largest chunk of a stream, in bytes of JSON. */
const MAX_CHUNK = 1024 * 1024;

/** Bounds on the chunks that wait to be read: their number, and their length as JSON in characters. The emulator's own. */
const MAX_UNREAD = { chunks: 100_000, length: 128 * 1024 * 1024 } as const;

/** Chunks that are kept after they were read. */
const MAX_READ_CHUNKS = 10_000;

/** The chunks of one job. Each chunk is handed out once, to the first reader. */
export class StreamBuffer {
  #chunks: unknown[] = [];
  /** How many of the kept chunks were handed out. */
  #read = 0;
  #length = 0;
  /** How many chunks were handed out in all. */
  handedOut = 0;

  get waiting(): number {
    return this.#chunks.length - this.#read;
  }

  /** The chunks in order: all that wait, and the latest of those that were read. */
  get produced(): readonly unknown[] {
    return this.#chunks;
  }

  /** Whether the chunks that wait have reached a bound. */
  get full(): boolean {
    return this.waiting >= MAX_UNREAD.chunks || this.#length >= MAX_UNREAD.length;
  }

  push(value: unknown): void {
    const text = writeJson(value);
    this.#length += text.length;
    this.#chunks.push(...split(value, text));
  }

  /** Frees the chunks. */
  clear(): void {
    this.#chunks = [];
    this.#read = 0;
  }

  drain(): readonly unknown[] {
    const chunks = this.#chunks.slice(this.#read);
    this.handedOut += chunks.length;
    this.#length = 0;
    if (this.#chunks.length > MAX_READ_CHUNKS * 2) this.#chunks = this.#chunks.slice(-MAX_READ_CHUNKS);
    this.#read = this.#chunks.length;
    return chunks;
  }
}

/**
 * Cuts a value that is too large for one chunk. The service documents that it cuts such a value, but not how. Here a string
 * becomes shorter strings; any other value becomes pieces of its JSON text.
 */
function split(value: unknown, text: string): unknown[] {
  if (!exceeds(text, MAX_CHUNK)) return [value];
  const whole = typeof value === 'string' ? value : text;
  // Escaping and UTF-8 make at most six bytes of one UTF-16 unit, so every piece of this length fits.
  const size = Math.floor(MAX_CHUNK / 6) - 2;
  const pieces: string[] = [];
  let from = 0;
  while (from < whole.length) {
    let to = Math.min(from + size, whole.length);
    // Do not cut between the two halves of a surrogate pair.
    const last = whole.charCodeAt(to - 1);
    if (to < whole.length && last >= 0xd800 && last <= 0xdbff) to -= 1;
    pieces.push(whole.slice(from, to));
    from = to;
  }
  return pieces;
}
