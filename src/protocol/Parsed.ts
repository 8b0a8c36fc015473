/** The result of parsing an answer: its value, or the words for what is wrong with the answer. */
export type Parsed<T> = { readonly value: T } | { readonly issue: string };

/**
 * Reads a value that foreign code may have made: a caller's own parser, or a source of notices. Where reading a member
 * throws, the value cannot be read.
 */
export function guarded<T>(read: () => Parsed<T>): Parsed<T> {
  try {
    return read();
  } catch {
    return { issue: 'cannot be read' };
  }
}
