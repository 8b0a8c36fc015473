/** Returns the next number of a sequence, at least 0 and below 1. */
export type Random = () => number;

/** A seed that no other start of an emulator has. */
export function randomSeed(): string {
  return workerName(Math.random);
}

/**
 * The same seed always gives the same sequence. The generator (sfc32) has a state of 128 bits, so that the sequences of two
 * seeds do not meet: ids that were given out before a restart are not given out again.
 */
export function seededRandom(seed: number | string): Random {
  let [a, b, c, counter] = hashesOf(String(seed));
  const next = (): number => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return (sum >>> 0) / 2 ** 32;
  };
  // The first numbers still show the hashes.
  for (let count = 0; count < 15; count += 1) next();
  return next;
}

/** Four hashes of a text, each of 32 bits (FNV-1a with four starts, mixed as MurmurHash ends). */
function hashesOf(text: string): [number, number, number, number] {
  const hash = (start: number): number => {
    let state = start;
    for (let at = 0; at < text.length; at += 1) state = Math.imul(state ^ text.charCodeAt(at), 0x01000193);
    state = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
    state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35);
    return state ^ (state >>> 16);
  };
  return [hash(0x811c9dc5), hash(0x9e3779b9), hash(0x243f6a88), hash(0xb7e15162)];
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
