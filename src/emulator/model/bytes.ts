/** Length of a text in bytes of UTF-8. Counted, since jsdom has no `TextEncoder`. */
function utf8Length(text: string): number {
  let length = 0;
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    // Half of a surrogate pair is sent as U+FFFD: three bytes.
    length += 1 + Number(code > 0x7f) + Number(code > 0x7ff) + Number(code > 0xffff);
  }
  return length;
}

/** Whether a text takes more than `max` bytes of UTF-8. Counts the bytes only if its length does not decide. */
export function exceeds(text: string, max: number): boolean {
  if (text.length > max) return true;
  return text.length * 3 > max && utf8Length(text) > max;
}
