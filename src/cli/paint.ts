import { styleText } from 'node:util';

type Style = 'bold' | 'dim' | 'green' | 'red' | 'yellow' | 'cyan';

/** Styles a text, if the output shows styles. */
export type Paint = (style: Style, text: string) => string;

/** Styles texts on terminals with colours, unless `NO_COLOR` is set. */
export function paintFor({ env, stdout }: Pick<NodeJS.Process, 'env' | 'stdout'>): Paint {
  const coloured = stdout.isTTY && !env.NO_COLOR && stdout.hasColors();
  return coloured ? (style, text) => styleText(style, text) : (_, text) => text;
}
