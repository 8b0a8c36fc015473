import type { WriteStream } from 'node:tty';
import type { RawWrite } from './captureOutput.js';
import { render, type Text } from './Text.js';

/** The command's output: lines that stay, and below them status lines that are redrawn. */
export interface Screen {
  /** Adds a line that stays. */
  line(text: Text): void;
  /** Replaces the status lines. */
  status(lines: readonly Text[]): void;
  /** Stops redrawing. The latest status lines stay on the screen. */
  close(): void;
}

/** A screen without status lines, for files, pipes and logs. */
export function plainScreen(write: RawWrite): Screen {
  return {
    line: (text) => write(`${render(text, false)}\n`),
    status: () => undefined,
    close: () => undefined,
  };
}

/** A screen on a terminal: the status lines are redrawn in place. */
export function terminalScreen(write: RawWrite, stream: WriteStream, styled: boolean): Screen {
  let lines: readonly Text[] = [];
  let drawn = 0;
  const erase = (): void => {
    if (drawn === 0) return;
    // Up to the first status line, to its first column, and everything from there is cleared.
    write(`\u001b[${drawn}A\r\u001b[J`);
    drawn = 0;
  };
  const draw = (): void => {
    // Lines are cut to the width, since a wrapped line would take two rows to erase, and the status is never taller than
    // the terminal. A terminal that does not tell its size reports 0.
    const [rows, columns] = [stream.rows || 24, stream.columns || 80];
    const shown = lines.slice(0, Math.max(rows - 2, 1)).map((line) => cut(line, columns - 1, styled));
    write(shown.map((line) => `${line}\n`).join(''));
    drawn = shown.length;
  };
  const redraw = (): void => {
    erase();
    draw();
  };
  stream.on('resize', redraw);
  return {
    line: (text) => {
      erase();
      write(`${render(text, styled)}\n`);
      draw();
    },
    status: (latest) => {
      lines = latest;
      redraw();
    },
    close: () => void stream.off('resize', redraw),
  };
}

/** Makes a text one row of the terminal. One that is cut loses its colours. */
function cut(line: Text, columns: number, styled: boolean): string {
  const plain = render(line, false);
  const row = plain.replaceAll('\n', ' ');
  if (columns < 1 || widthOf(row) <= columns) return row === plain ? render(line, styled) : row;
  let width = 0;
  let end = 0;
  for (const character of row) {
    width += widthOf(character);
    if (width > columns - 1) break;
    end += character.length;
  }
  return `${row.slice(0, end)}…`;
}

/** Letters of East Asia and emoji take two columns. Some that take one count as two: a row may be short, and never long. */
const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}|\p{Extended_Pictographic}|[\u{10000}-\u{10ffff}]/gu;

/** How many columns a text takes on a terminal, at most. */
function widthOf(text: string): number {
  return text.replace(WIDE, '--').length;
}
