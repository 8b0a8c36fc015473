import { createHash, randomUUID } from 'node:crypto';
import { link, mkdir, readFile, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { invalidOptions } from '../../errors/invalidOptions.js';
import { must } from '../../protocol/checks.js';
import type { WebhookStore } from '../../server/webhooks/WebhookStore.js';
import { writeNewFile } from './writeNewFile.js';

/**
 * A store for `createWebhooks` in a folder of small files: for a receiver of webhooks and workers that are different
 * processes of one machine. The receiver writes which key became which job, and a worker that starts anew finds it.
 *
 * ```ts
 * const webhooks = createWebhooks({ url, secret, store: webhookFolder('webhooks') });
 * ```
 *
 * Files whose time is over are not removed by themselves: remove what was not changed for eight days.
 */
export function webhookFolder(folder: string): WebhookStore {
  const issues = must(typeof folder === 'string' && folder.length > 0, 'folder', folder, 'be the path of a folder');
  if (issues.length) throw invalidOptions('webhookFolder', issues);
  const pathOf = (name: string) => join(folder, createHash('sha256').update(name).digest('hex'));
  const read = (path: string): Promise<string | undefined> => readFile(path, 'utf8').catch(noneIfMissing);
  /** Writes a value under a name of its own, so that it is seen as a whole or not at all. */
  const write = async (value: string): Promise<string> => {
    await mkdir(folder, { recursive: true });
    const path = join(folder, `${randomUUID()}.new`);
    await writeNewFile(path, value);
    return path;
  };
  return {
    get: (name) => read(pathOf(name)),
    set: async (name, value) => {
      await rename(await write(value), pathOf(name));
    },
    add: async (name, value) => {
      const path = await write(value);
      try {
        await link(path, pathOf(name));
        return undefined;
      } catch (error) {
        if ((error as { readonly code?: string }).code !== 'EEXIST') throw error;
        return await read(pathOf(name));
      } finally {
        await unlink(path);
      }
    },
  };
}

/** A file that cannot be read is an error: taken for no webhook, its job would be paid twice. */
function noneIfMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT') return undefined;
  throw error;
}
