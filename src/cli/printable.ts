import { stripVTControlCharacters } from 'node:util';

/** Longest text that is shown, in characters. */
const MAX_LENGTH = 20_000;

/** Control characters but line feeds; marks that change the direction of text; line separators of Unicode. */
const UNPRINTABLE = /[^\P{Cc}\n]|[\u200e\u200f\u2028-\u202e\u2066-\u2069\u061c]/gu;

/** A text without escape sequences and control characters, so that it cannot steer the terminal. A very long text is cut. */
export function printable(text: string): string {
  return withoutControls(text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}…` : text);
}

/** A text of any length without escape sequences and control characters. */
export function withoutControls(text: string): string {
  return stripVTControlCharacters(text).replaceAll('\t', '  ').replace(UNPRINTABLE, '');
}
