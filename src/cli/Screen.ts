import { cursorTo, moveCursor, clearScreenDown } from 'node:readline';
import { stripVTControlCharacters } from 'node:util';
import type { WriteStream } from 'node:tty';

/** The command's output: lines that stay, and below them status lines that are redrawn. */
export interface Screen {
  /** Adds a line that stays. */
  line(text: string): void;
  /** Replaces the status lines. */
  status(lines: readonly string[]): void;
  /** Stops redrawing. The latest status lines stay on the screen. */
  close(): void;
}

/** A screen without status lines, for files, pipes and logs. */
export function plainScreen(stream: NodeJS.WritableStream): Screen {
  return {
    line: (text) => void stream.write(`${text}\n`),
    status: () => undefined,
    close: () => undefined,
  };
}

/** A screen on a terminal: the status lines are redrawn in place. */
export function terminalScreen(stream: WriteStream): Screen {
  let lines: readonly string[] = [];
  let drawn = 0;
  const erase = (): void => {
    if (drawn === 0) return;
    moveCursor(stream, 0, -drawn);
    cursorTo(stream, 0);
    clearScreenDown(stream);
    drawn = 0;
  };
  const draw = (): void => {
    // Lines are cut to the width, since a wrapped line would take two rows to erase, and the status is never taller than
    // the terminal. A terminal that does not tell its size reports 0.
    const [rows, columns] = [stream.rows || 24, stream.columns || 80];
    const shown = lines.slice(0, Math.max(rows - 2, 1)).map((line) => cut(line, columns - 1));
    stream.write(shown.map((line) => `${line}\n`).join(''));
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
      stream.write(`${text}\n`);
      draw();
    },
    status: (latest) => {
      lines = latest;
      redraw();
    },
    close: () => void stream.off('resize', redraw),
  };
}

/** Cuts a line to a width. A line that is cut loses its colours. */
function cut(line: string, columns: number): string {
  const plain = stripVTControlCharacters(line);
  return columns < 1 || plain.length <= columns ? line : `${plain.slice(0, columns - 1)}…`;
}
