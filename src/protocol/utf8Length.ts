/** Length of a text in bytes of UTF-8. Counted, since jsdom has no `TextEncoder`. */
export function utf8Length(text: string): number {
  let length = 0;
  for (let index = 0; index < text.length; index++) {
    const code = text.codePointAt(index) ?? 0;
    length += bytesOf(code);
    if (code > 0xffff) index++; // two code units
  }
  return length;
}

/** How many bytes a code point takes. Half of a surrogate pair is sent as U+FFFD, which takes three. */
function bytesOf(code: number): number {
  if (code < 0x80) return 1;
  if (code < 0x800) return 2;
  return code < 0x10000 ? 3 : 4;
}
