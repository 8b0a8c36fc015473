/** Returns the next number of a sequence, at least 0 and below 1. */
export type Random = () => number;

/** The same seed always gives the same sequence (mulberry32 over an FNV-1a hash of the seed's text). */
export function seededRandom(seed: number | string): Random {
  let state = 0x811c9dc5;
  for (const character of String(seed)) {
    state = Math.imul(state ^ (character.codePointAt(0) ?? 0), 0x01000193);
  }
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function pick(random: Random, alphabet: string, length: number): string {
  return Array.from({ length }, () => alphabet.charAt(Math.floor(random() * alphabet.length))).join('');
}

/** Hexadecimal digits. */
export function hex(random: Random, length: number): string {
  return pick(random, '0123456789abcdef', length);
}

/** A UUID of version 4. */
export function uuid(random: Random): string {
  const digits = (length: number): string => hex(random, length);
  return `${digits(8)}-${digits(4)}-4${digits(3)}-${pick(random, '89ab', 1)}${digits(3)}-${digits(12)}`;
}

/** A worker's id: 14 lower-case letters and digits. */
export function workerName(random: Random): string {
  return pick(random, 'abcdefghijklmnopqrstuvwxyz0123456789', 14);
}
