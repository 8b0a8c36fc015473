import { existsSync } from 'node:fs';
import { mkdtemp, readFile, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { nodeDisk } from '../../../src/durable/file/JournalDisk.js';
import { writeNewFile } from '../../../src/durable/file/writeNewFile.js';

async function emptyFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'runpod-rx-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

test.each([
  ['writeNewFile', writeNewFile],
  ['the writeText of a journal’s disk', nodeDisk.writeText],
])('%s writes a file', async (_, write) => {
  const path = join(await emptyFolder(), 'a');
  await write(path, 'text');
  expect(await readFile(path, 'utf8')).toBe('text');
});

// A device on which each write fails, as on a full disk.
test.skipIf(!existsSync('/dev/full')).each([
  ['writeNewFile', writeNewFile],
  ['the writeText of a journal’s disk', nodeDisk.writeText],
])('%s leaves nothing behind on a full disk', async (_, write) => {
  const folder = await emptyFolder();
  await symlink('/dev/full', join(folder, 'a'));
  await expect(write(join(folder, 'a'), 'text')).rejects.toMatchObject({ code: 'ENOSPC' });
  expect(await readdir(folder)).toEqual([]);
});
