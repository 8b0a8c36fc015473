/** A thrown value with its stack, without the frames of Node's own modules. */
export function stackOf(thrown: unknown): string {
  return withoutNode(thrown instanceof Error ? (thrown.stack ?? String(thrown)) : String(thrown));
}

/** Removes the frames of Node's modules and Node's version line from a text, and `?at=…` from module URLs. */
export function withoutNode(text: string): string {
  const lines = text.split('\n').filter((line) => !/^\s+at .*\bnode:|^Node\.js v/.test(line));
  return lines
    .join('\n')
    .replaceAll(/\?at=\d+/g, '')
    .trim();
}
