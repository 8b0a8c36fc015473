import { readFileSync } from 'node:fs';
import { runpod, type Runpod } from '../../index.js';
import { refused } from './refused.js';

/** Options of every command that talks to the service. */
export interface ConnectionOptions {
  /** The address of the service. */
  readonly baseUrl?: string;
  /** A file that holds the key. */
  readonly keyFile?: string;
}

/**
 * The client that a command uses. The key comes from a file or from RUNPOD_API_KEY, and never from an argument, which other
 * users of a machine can read. Throws where there is none, or the base URL cannot be used.
 */
export function openClient({ env }: NodeJS.Process, { baseUrl, keyFile }: ConnectionOptions): Runpod {
  const address = baseUrl ?? env.RUNPOD_BASE_URL;
  const apiKey = keyFile === undefined ? env.RUNPOD_API_KEY?.trim() : readKey(keyFile);
  if (!apiKey && !address)
    throw refused(
      'there is no key: set RUNPOD_API_KEY, or name a file by --key-file. To try it without an account, start runpod-rx emulate, and set RUNPOD_BASE_URL to its address',
    );
  return runpod({ ...(address && { baseUrl: address }), ...(apiKey && { apiKey }) });
}

function readKey(file: string): string {
  let key: string;
  try {
    key = readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw refused(`the file of the key, ${file}, cannot be read: ${String((error as NodeJS.ErrnoException).code)}`);
  }
  if (!key) throw refused(`the file of the key, ${file}, is empty`);
  return key;
}
