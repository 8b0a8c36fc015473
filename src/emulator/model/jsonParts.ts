/** A part of a list or an object: its text, and for an object the text of its name. */
interface Part {
  readonly name?: string;
  readonly text: string;
}

/** The texts of the members of an object, by name. The text must be the valid JSON of an object. */
export function jsonMembers(text: string): ReadonlyMap<string, string> {
  return new Map(partsOf(text).map(({ name = '""', text: member }) => [JSON.parse(name) as string, member]));
}

/** The texts of the items of a list. The text must be the valid JSON of a list. */
export function jsonItems(text: string): readonly string[] {
  return partsOf(text).map((part) => part.text);
}

/** A valid JSON text without the white space around its tokens. */
export function withoutSpace(text: string): string {
  const pieces: string[] = [];
  let from = 0;
  for (const [start, end] of stringsOf(text)) {
    pieces.push(text.slice(from, start).replace(/\s+/g, ''), text.slice(start, end));
    from = end;
  }
  return [...pieces, text.slice(from).replace(/\s+/g, '')].join('');
}

/** Cuts the outermost list or object of a valid JSON text into its parts, in one pass. */
function partsOf(text: string): Part[] {
  const parts: Part[] = [];
  let depth = 0;
  let name: string | undefined;
  let from = 0;
  const end = (at: number): void => {
    const part = text.slice(from, at).trim();
    if (part !== '') parts.push({ text: part, ...(name !== undefined && { name }) });
    name = undefined;
    from = at + 1;
  };
  const read = (mark: string, at: number): void => {
    if (mark === '[' || mark === '{') {
      depth += 1;
      if (depth === 1) from = at + 1;
    } else if (mark === ']' || mark === '}') {
      depth -= 1;
      if (depth === 0) end(at);
    } else if (depth === 1 && mark === ',') {
      end(at);
    } else if (depth === 1) {
      name = text.slice(from, at).trim();
      from = at + 1;
    }
  };
  let at = 0;
  for (const [start, next] of [...stringsOf(text), [text.length, text.length] as const]) {
    for (const { 0: mark, index } of text.slice(at, start).matchAll(/[[\]{},:]/g)) {
      read(mark, at + index);
    }
    at = next;
  }
  return parts;
}

/** Where each string of a JSON text begins and ends. Takes time in proportion to the text, and no stack. */
function* stringsOf(text: string): Generator<readonly [start: number, end: number]> {
  for (let start = text.indexOf('"'); start >= 0;) {
    let quote = text.indexOf('"', start + 1);
    while (quote >= 0 && isEscaped(text, quote)) quote = text.indexOf('"', quote + 1);
    const end = quote < 0 ? text.length : quote + 1;
    yield [start, end];
    start = text.indexOf('"', end);
  }
}

/** Whether an odd number of backslashes stands before a character. */
function isEscaped(text: string, at: number): boolean {
  let from = at;
  while (text[from - 1] === '\\') from -= 1;
  return (at - from) % 2 === 1;
}
