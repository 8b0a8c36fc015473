/** The parts of a JSON text: strings, brackets, commas, colons, and everything else but white space. */
const TOKENS = /"(?:[^"\\]|\\.)*"?|[[\]{},:]|[^\s"[\]{},:]+/g;

/** Indents a JSON text. Numbers and strings stay as they are written, and so does a text that is cut somewhere. */
export function tidyJson(text: string): string {
  let tidy = '';
  let depth = 0;
  let before = '';
  const lineBreak = (): string => `\n${'  '.repeat(depth)}`;
  for (const [token] of text.matchAll(TOKENS)) {
    const opened = before === '{' || before === '[';
    if (token === '}' || token === ']') {
      depth = Math.max(0, depth - 1);
      tidy += opened ? token : lineBreak() + token;
    } else {
      if (opened || before === ',') tidy += lineBreak();
      tidy += token === ':' ? ': ' : token;
      if (token === '{' || token === '[') depth += 1;
    }
    before = token;
  }
  return tidy;
}
