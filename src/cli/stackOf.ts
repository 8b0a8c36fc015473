/** What was thrown, and where: without the way through Node's own modules, and what Node says of itself. */
export function stackOf(thrown: unknown): string {
  return withoutNode(thrown instanceof Error ? (thrown.stack ?? String(thrown)) : String(thrown));
}

/** The same of a text that Node wrote. */
export function withoutNode(text: string): string {
  const lines = text.split('\n').filter((line) => !/^\s+at .*\bnode:|^Node\.js v/.test(line));
  return lines
    .join('\n')
    .replaceAll(/\?at=\d+/g, '')
    .trim();
}
