import { stripVTControlCharacters } from 'node:util';

/** Text from outside, without what would steer the terminal it is shown on. */
export function printable(text: string): string {
  return stripVTControlCharacters(text).replace(/\p{Cc}/gu, '');
}
