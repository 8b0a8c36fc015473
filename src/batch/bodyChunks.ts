import { MAX_RUN_BODY } from '../protocol/limits.js';
import { utf8Length } from '../protocol/utf8Length.js';

/** What stands around the requests of an append, and between them, in bytes. */
const AROUND = utf8Length('{"requests":[]}');
const BETWEEN = 1;

/** The requests of a batch in parts that may be sent at once: at most 10 MiB each. */
export function bodyChunks(bodies: readonly string[]): string[][] {
  const chunks: string[][] = [];
  let chunk: string[] = [];
  let size = AROUND;
  for (const body of bodies) {
    const length = utf8Length(body) + BETWEEN;
    if (chunk.length > 0 && size + length > MAX_RUN_BODY) {
      chunks.push(chunk);
      chunk = [];
      size = AROUND;
    }
    chunk.push(body);
    size += length;
  }
  return chunk.length > 0 ? [...chunks, chunk] : chunks;
}
