const encoder = new TextEncoder();

/** Length of a text in bytes of UTF-8. */
function utf8Length(text: string): number {
  return encoder.encode(text).length;
}

/** Whether a text takes more than `max` bytes of UTF-8. Encodes the text only if its length does not decide. */
export function exceeds(text: string, max: number): boolean {
  if (text.length > max) return true;
  return text.length * 3 > max && utf8Length(text) > max;
}
