import { exceeds } from './bytes.js';

/** Largest chunk of a stream, in bytes of JSON. */
const MAX_CHUNK = 1024 * 1024;

/** The chunks of one job. Each is handed out once, to whoever asks first. */
export class StreamBuffer {
  /** Everything produced, in order. */
  readonly produced: unknown[] = [];
  /** How many of them answers have taken away. */
  handedOut = 0;

  get waiting(): number {
    return this.produced.length - this.handedOut;
  }

  push(value: unknown): void {
    this.produced.push(...split(value));
  }

  drain(): readonly unknown[] {
    const chunks = this.produced.slice(this.handedOut);
    this.handedOut = this.produced.length;
    return chunks;
  }
}

/**
 * Cuts what is too large for one chunk. That it is cut is documented, how is not: here a string becomes shorter strings,
 * anything else strings of its JSON text.
 */
function split(value: unknown): unknown[] {
  const text = JSON.stringify(value);
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
