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
  let rest = '';
  for await (const chunk of bytes) {
    const lines = (rest + decode(decoder, number + 1, chunk)).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      number += 1;
      if (line.trim() !== '') yield { number, text: line.replace(/\r$/, '') };
    }
  }
  rest += decode(decoder, number + 1);
  if (rest.trim() !== '') yield { number: number + 1, text: rest };
}

function decode(decoder: TextDecoder, line: number, chunk?: Uint8Array): string {
  try {
    return decoder.decode(chunk, { stream: chunk !== undefined });
  } catch {
    throw new TypeError(`the file is no UTF-8, in line ${line} or after it`);
  }
}
