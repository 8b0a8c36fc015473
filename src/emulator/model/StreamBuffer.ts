import { exceeds } from './bytes.js';

/** Largest chunk of a stream, in bytes of JSON. */
const MAX_CHUNK = 1024 * 1024;

/** Most chunks that wait to be read, and most characters of JSON in them. A bound of the emulator, not of the service. */
const MAX_UNREAD = { chunks: 100_000, length: 128 * 1024 * 1024 } as const;

/** Most chunks that are remembered once they were read. */
const MAX_READ_CHUNKS = 10_000;

/** The chunks of one job. Each is handed out once, to whoever asks first. */
export class StreamBuffer {
  #chunks: unknown[] = [];
  /** How many of `chunks` answers have taken away. */
  #read = 0;
  #length = 0;
  /** How many chunks answers have taken away. */
  handedOut = 0;

  get waiting(): number {
    return this.#chunks.length - this.#read;
  }

  /** What was produced, in order; of what was read long ago, only the latest. */
  get produced(): readonly unknown[] {
    return this.#chunks;
  }

  /** Whether nothing more can be kept for readers, who do not come. */
  get full(): boolean {
    return this.waiting >= MAX_UNREAD.chunks || this.#length >= MAX_UNREAD.length;
  }

  push(value: unknown): void {
    const text = JSON.stringify(value);
    this.#length += text.length;
    this.#chunks.push(...split(value, text));
  }

  /** Forgets the chunks themselves. */
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
 * Cuts what is too large for one chunk. That it is cut is documented, how is not: here a string becomes shorter strings,
 * anything else strings of its JSON text.
 */
function split(value: unknown, text: string): unknown[] {
  if (!exceeds(text, MAX_CHUNK)) return [value];
  const whole = typeof value === 'string' ? value : text;
  // Escaping and UTF-8 make at most six bytes of one UTF-16 unit, so that every piece is surely small enough.
  const size = Math.floor(MAX_CHUNK / 6) - 2;
  const pieces: string[] = [];
  for (let from = 0; from < whole.length;) {
    let to = Math.min(from + size, whole.length);
    const last = whole.charCodeAt(to - 1);
    if (to < whole.length && last >= 0xd800 && last <= 0xdbff) to -= 1;
    pieces.push(whole.slice(from, to));
    from = to;
  }
  return pieces;
}
