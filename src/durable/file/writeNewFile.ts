import { unlink, writeFile } from 'node:fs/promises';

/**
 * Writes a file that is not there yet, so that it survives a loss of power. Where that fails, as on a full disk, what was made
 * of the file is removed: its name is a new one each time, and nobody would look for it.
 */
export async function writeNewFile(path: string, text: string, mode = 0o666): Promise<void> {
  try {
    await writeFile(path, text, { mode, flush: true });
  } catch (error) {
    await unlink(path).catch(() => undefined);
    throw error;
  }
}
