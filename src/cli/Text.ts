import type { WriteStream } from 'node:tty';
import { inspect } from 'node:util';
import { printable } from './printable.js';

type Style = 'bold' | 'dim' | 'green' | 'red' | 'yellow' | 'cyan';

/** A text in a style of this command. */
interface Painted {
  readonly style: Style;
  readonly text: string;
}

/**
 * What the command shows. Texts of clients, workers, handlers and files go into it as they are: `render`, which every output
 * passes, takes the control characters out of them. Styles are members beside the text, so that no text can claim one.
 */
export type Text = string | Painted | readonly Text[];

/** A text in a style. */
export function paint(style: Style, text: string): Text {
  return { style, text };
}

/** A template of texts: `` line`${paint('dim', id)}  ${status}` ``. */
export function line(pieces: TemplateStringsArray, ...values: readonly Text[]): Text {
  return pieces.flatMap((piece, index) => [piece, values[index] ?? '']);
}

/** Texts with a separator between them. */
export function joined(texts: readonly Text[], separator: string): Text {
  return texts.flatMap((text, index) => (index === 0 ? [text] : [separator, text]));
}

/** The characters to write for a text: no control characters but line feeds, and the codes of its styles if `styled`. */
export function render(text: Text, styled: boolean): string {
  if (typeof text === 'string') return printable(text);
  if (isList(text)) return text.map((part) => render(part, styled)).join('');
  const plain = printable(text.text);
  const [on, off] = inspect.colors[text.style] ?? [];
  return styled && plain !== '' ? `\u001b[${on}m${plain}\u001b[${off}m` : plain;
}

// `Array.isArray` does not narrow a union with a readonly array.
function isList(text: Text): text is readonly Text[] {
  return Array.isArray(text);
}

/** Whether an output shows styles: on a terminal with colours, unless `NO_COLOR` is set. */
export function showsStyles(
  { env, stdout }: Pick<NodeJS.Process, 'env' | 'stdout'>,
  output: WriteStream = stdout,
): boolean {
  return output.isTTY && !env.NO_COLOR && output.hasColors();
}
