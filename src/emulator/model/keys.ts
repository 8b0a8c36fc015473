import type { EmulatorKey } from '../EmulatorOptions.js';

/** How a request brought its key. */
export type AuthKind = 'bearer' | 'bare' | 'none';

export interface Credentials {
  readonly kind: AuthKind;
  readonly key: string;
}

/** The key of a request: after `Bearer`, or alone, as in some of RunPod's own examples. */
export function credentialsOf(headers: Readonly<Record<string, string>>): Credentials {
  const text = (headers.authorization ?? '').trim();
  const key = text.replace(/^bearer(\s+|$)/i, '');
  if (key === '') return { kind: 'none', key };
  return { kind: key === text ? 'bare' : 'bearer', key };
}

/** `invalid`: no such key. `foreign`: the key exists, but does not open this endpoint. */
export function judgeKey(
  keys: readonly EmulatorKey[],
  key: string,
  endpointId: string,
): 'fits' | 'invalid' | 'foreign' {
  const entry = keys.find((candidate) => (typeof candidate === 'string' ? candidate : candidate.key) === key);
  if (entry === undefined) return 'invalid';
  return typeof entry === 'string' || entry.endpoints.includes(endpointId) ? 'fits' : 'foreign';
}

/** Which of the keys a key is, counted from 1; 0 for none of them. */
export function keyNumber(keys: readonly EmulatorKey[], key: string): number {
  return 1 + keys.findIndex((entry) => (typeof entry === 'string' ? entry : entry.key) === key);
}

/** Whether a key opens any endpoint. */
export function opensAnything(keys: readonly EmulatorKey[], key: string): boolean {
  return keyNumber(keys, key) > 0;
}

/** Shorter keys are not masked: they are no real keys, and masking them would mask parts of ordinary words. */
const MIN_KEY_LENGTH = 6;

/** Masks every known key, and the key of the request, in a text that the ledger keeps. */
export function withoutKeys(text: string, keys: readonly EmulatorKey[], used: string): string {
  const known = keys.map((key) => (typeof key === 'string' ? key : key.key));
  return [...known, used]
    .filter((key) => key.length >= MIN_KEY_LENGTH)
    .reduce((masked, key) => masked.replaceAll(key, '[key]').replaceAll(encodeURIComponent(key), '[key]'), text);
}
