import type { EmulatorKey } from '../EmulatorOptions.js';

/** How a request brought its key. */
export type AuthKind = 'bearer' | 'bare' | 'none';

export interface Credentials {
  readonly kind: AuthKind;
  readonly key: string;
}

/** The key of a request: after `Bearer`, or bare, as RunPod's own examples have it. */
export function credentialsOf(headers: Readonly<Record<string, string>>): Credentials {
  const text = (headers.authorization ?? '').trim();
  const key = text.replace(/^bearer(\s+|$)/i, '');
  return { kind: key === '' ? 'none' : key === text ? 'bare' : 'bearer', key };
}

/** `invalid`: the key is none of ours. `foreign`: it is, but not for this endpoint. */
export function judgeKey(
  keys: readonly EmulatorKey[],
  key: string,
  endpointId: string,
): 'fits' | 'invalid' | 'foreign' {
  const entry = keys.find((candidate) => (typeof candidate === 'string' ? candidate : candidate.key) === key);
  if (entry === undefined) return 'invalid';
  return typeof entry === 'string' || entry.endpoints.includes(endpointId) ? 'fits' : 'foreign';
}

/** Shorter ones are no real keys, and would tear holes into ordinary words. */
const MIN_KEY_LENGTH = 6;

/** Takes every known key, and the one of this request, out of a text that will be remembered. */
export function withoutKeys(text: string, keys: readonly EmulatorKey[], used: string): string {
  const known = keys.map((key) => (typeof key === 'string' ? key : key.key));
  return [...known, used]
    .filter((key) => key.length >= MIN_KEY_LENGTH)
    .reduce((left, key) => left.replaceAll(key, '[key]').replaceAll(encodeURIComponent(key), '[key]'), text);
}
