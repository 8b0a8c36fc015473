import { stripVTControlCharacters } from 'node:util';

/** Removes control characters and escape sequences from a text, so that it cannot steer the terminal. */
export function printable(text: string): string {
  return stripVTControlCharacters(text).replace(/\p{Cc}/gu, '');
}
