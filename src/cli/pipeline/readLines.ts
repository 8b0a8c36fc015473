/** The longest line, in UTF-16 code units. A job takes 10 MiB, which JSON may write in more characters than are sent. */
const MAX_LINE = 64 * 1024 * 1024;

/** One line of a file of inputs. */
export interface InputLine {
  /** From 1; blank lines count. */
  readonly number: number;
  readonly text: string;
}

/**
 * The lines of a stream of bytes, as JSON Lines has them: they end with a line feed and nothing else, since a text in JSON may
 * hold other separators, such as U+2028. A carriage return before it, a byte order mark, and blank lines are dropped; the
 * last line need not end. Throws where the bytes are no UTF-8: an input is sent as it is meant, or not at all.
 */
export async function* readLines(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<InputLine> {
  // It drops the byte order mark.
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let number = 0;
  /** Of a line whose end has not come yet. */
  let pieces: string[] = [];
  let length = 0;
  for await (const chunk of bytes) {
    const [end = '', ...others] = decode(decoder, number + 1, chunk).split('\n');
    pieces.push(end);
    length += end.length;
    if (length > MAX_LINE) throw new TypeError(`line ${number + 1} is too long for a job: is the file JSON Lines?`);
    const last = others.pop();
    if (last === undefined) continue;
    for (const line of [pieces.join(''), ...others]) {
      number += 1;
      if (line.trim() !== '') yield { number, text: line.replace(/\r$/, '') };
    }
    pieces = [last];
    length = last.length;
  }
  const rest = pieces.join('') + decode(decoder, number + 1);
  if (rest.trim() !== '') yield { number: number + 1, text: rest };
}

function decode(decoder: TextDecoder, line: number, chunk?: Uint8Array): string {
  try {
    return decoder.decode(chunk, { stream: chunk !== undefined });
  } catch {
    throw new TypeError(`the file is no UTF-8, in line ${line} or after it`);
  }
}
