import { crc32 } from 'node:zlib';

/**
 * The form of a journal: a first line that names it, and then frames. A frame is what was written at once: a line with its
 * length in bytes and its checksum, and so many bytes of records. A frame is written when the one before it is on the disk,
 * so only the last can be torn, and a torn one was confirmed to nobody.
 */
export const HEADER = Buffer.from('runpod-rx journal 1\n');

/** The longest line before a frame: `#`, ten digits, a space, eight digits of the checksum, a line feed. */
const MAX_LINE = 21;

/** The line before the bytes of a frame. */
export function frameLine(payload: Uint8Array): Buffer {
  return Buffer.from(`#${payload.length} ${checksum(payload)}\n`);
}

/** What stands at a place where a frame should begin. `more`: that many bytes must be looked at to know. */
export type FrameFound =
  { readonly payload: Buffer; readonly start: number; readonly end: number } | { readonly more: number } | 'broken';

/** Looks for a frame at a place in a buffer. */
export function frameAt(bytes: Buffer, at: number): FrameFound {
  // No further: the end of a torn frame is looked for at each of its bytes.
  const lineLength = bytes.subarray(at, at + MAX_LINE).indexOf(10);
  if (lineLength < 0) return bytes.length - at >= MAX_LINE ? 'broken' : { more: MAX_LINE };
  const lineEnd = at + lineLength;
  const line = /^#(\d{1,10}) ([\da-f]{8})$/.exec(bytes.toString('latin1', at, lineEnd));
  if (!line) return 'broken';
  const [, length = '', sum] = line;
  const start = lineEnd + 1;
  const end = start + Number(length);
  if (end > bytes.length) return { more: end - at };
  const payload = bytes.subarray(start, end);
  return checksum(payload) === sum ? { payload, start, end } : 'broken';
}

function checksum(payload: Uint8Array): string {
  return crc32(payload).toString(16).padStart(8, '0');
}
