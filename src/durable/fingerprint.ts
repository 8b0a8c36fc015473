import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';

/** How many bytes of the hash are kept: two inputs have the same by chance once in 2^64. */
const LENGTH = 16;

/**
 * Tells inputs apart: the same for inputs that are the same as JSON, whatever the order of their members. Throws where JSON
 * cannot carry the input.
 */
export function fingerprint(endpointId: string, input: unknown): string {
  const text = JSON.stringify([endpointId, input], (_name, value: unknown) => sorted(value));
  return bytesToHex(sha256(utf8ToBytes(text)).subarray(0, LENGTH));
}

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}
