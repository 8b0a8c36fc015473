import { HEADER, frameAt } from './frames.js';
import type { JournalFile } from './JournalDisk.js';

/** How much is read at once, in bytes. */
const CHUNK = 8 * 1024 * 1024;

/**
 * Reads the frames of a journal, from its beginning to the last whole one. Gives where that ends: what follows was torn, and
 * confirmed to nobody. Errors where the file is no journal, or is damaged before its end.
 *
 * @param onFrame - gets the records of a frame, and where in the file they begin
 */
export async function readJournal(
  file: JournalFile,
  path: string,
  onFrame: (payload: Buffer, position: number) => void,
): Promise<number> {
  const size = await file.size();
  const head = await readAt(file, 0, Math.min(size, HEADER.length));
  if (!HEADER.subarray(0, head.length).equals(head))
    throw new Error(`${path} is no journal of runpod-rx: it begins with other bytes`);
  if (head.length < HEADER.length) return 0;
  let position = HEADER.length;
  let wanted = CHUNK;
  while (position < size) {
    const bytes = await readAt(file, position, Math.min(wanted, size - position));
    wanted = CHUNK;
    let at = 0;
    let found = frameAt(bytes, at);
    for (; typeof found === 'object' && 'payload' in found; found = frameAt(bytes, at)) {
      onFrame(found.payload, position + found.start);
      at = found.end;
      if (at >= bytes.length) break;
    }
    position += at;
    const rest = size - position;
    if (found === 'broken' || (typeof found === 'object' && 'more' in found && found.more > rest)) {
      await assertTorn(file, path, position);
      return position;
    }
    if (typeof found === 'object' && 'more' in found) wanted = Math.max(CHUNK, found.more);
  }
  return position;
}

/** Errors where a whole frame follows a broken one: the file is damaged then, and not merely torn at its end. */
async function assertTorn(file: JournalFile, path: string, brokenAt: number): Promise<void> {
  const rest = await readAt(file, brokenAt, (await file.size()) - brokenAt);
  for (let at = rest.indexOf('#'); at >= 0; at = rest.indexOf('#', at + 1)) {
    const found = frameAt(rest, at);
    if (typeof found === 'object' && 'payload' in found)
      throw new Error(
        `${path} is damaged at byte ${brokenAt}: what follows is whole. Take it from a copy, or cut it there`,
      );
  }
}

/** Reads so many bytes, or up to the end of the file. */
export async function readAt(file: JournalFile, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    const read = await file.read(bytes.subarray(filled), position + filled);
    if (read <= 0) break;
    filled += read;
  }
  return bytes.subarray(0, filled);
}
