import { cursorTo, moveCursor, clearScreenDown } from 'node:readline';
import { stripVTControlCharacters } from 'node:util';
import type { WriteStream } from 'node:tty';

/** Where the command writes: lines that stay, and below them some that are always the latest. */
export interface Screen {
  line(text: string): void;
  status(lines: readonly string[]): void;
  /** Leaves the latest status where it is. */
  close(): void;
}

/** Lines only: for files, pipes and logs. */
export function plainScreen(stream: NodeJS.WritableStream): Screen {
  return {
    line: (text) => void stream.write(`${text}\n`),
    status: () => undefined,
    close: () => undefined,
  };
}

/** A terminal: the status is drawn again in its place. */
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
    // Cut, since a line that wraps would be two to erase; and never taller than the terminal.
    // Some terminals do not tell their size: it is 0 then.
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

/** The beginning of a line that fits; a line that does not fit loses its colours. */
function cut(line: string, columns: number): string {
  const plain = stripVTControlCharacters(line);
  return columns < 1 || plain.length <= columns ? line : `${plain.slice(0, columns - 1)}…`;
}
