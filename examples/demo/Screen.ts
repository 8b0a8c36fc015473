import type { WriteStream } from 'node:tty';

type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

const CODES: Record<Style, number> = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 };

/**
 * Writes to a terminal, with colours and a progress bar. If stdout is no terminal, it writes plain lines only, and a line
 * for each quarter of the progress.
 */
export class Screen {
  readonly #out: Pick<WriteStream, 'write'> & Partial<Pick<WriteStream, 'columns' | 'isTTY'>>;
  /** What the last line contains, if no line break has ended it. */
  #open: 'nothing' | 'text' | 'bar' = 'nothing';
  #column = 0;
  #quarter = 0;
  /** Whether a line can be overwritten. */
  readonly #terminal: boolean;
  readonly colour: boolean;

  constructor(out: NodeJS.WriteStream = process.stdout, { NO_COLOR, TERM } = process.env) {
    this.#out = out;
    this.#terminal = out.isTTY && TERM !== 'dumb';
    this.colour = this.#terminal && !NO_COLOR;
  }

  get width(): number {
    const { columns = 0 } = this.#out;
    // Some terminals report 0 columns.
    return Math.min(columns > 0 ? columns : 80, 100);
  }

  style(text: string, ...styles: readonly Style[]): string {
    return this.colour ? `${styles.map((style) => `\x1b[${CODES[style]}m`).join('')}${text}\x1b[0m` : text;
  }

  title(text: string): void {
    this.line();
    this.line(this.style(text, 'bold'));
  }

  line(text = ''): void {
    this.end();
    this.#out.write(`${text}\n`);
  }

  /** Ends a line of text or a bar, so that the next output begins a new line. */
  end(): void {
    if (this.#open !== 'nothing') this.#out.write('\n');
    this.#open = 'nothing';
    this.#column = 0;
    this.#quarter = 0;
  }

  /** Writes text after the text before it, and breaks lines between words. */
  text(chunk: string, indent = '    '): void {
    if (this.#open !== 'text') {
      this.end();
      this.#out.write(indent);
      this.#column = indent.length;
      this.#open = 'text';
      chunk = chunk.trimStart();
    }
    for (const word of chunk.split(/(?= )/)) {
      if (this.#column + word.length > this.width) {
        this.#out.write(`\n${indent}${word.trimStart()}`);
        this.#column = indent.length + word.trimStart().length;
      } else {
        this.#out.write(word);
        this.#column += word.length;
      }
    }
  }

  /** Draws a bar over the previous one, or writes a line for each quarter. */
  progress(fraction: number, words: string): void {
    const percent = `${Math.floor(fraction * 100)} %`.padStart(5);
    if (!this.#terminal) {
      const quarter = Math.floor(fraction * 4);
      if (quarter === this.#quarter) return;
      this.line(`    ${percent}  ${words}`);
      this.#quarter = quarter;
      return;
    }
    if (this.#open !== 'bar') this.end();
    const length = Math.max(4, Math.min(40, this.width - words.length - 16));
    const full = Math.round(fraction * length);
    const bar = this.style('█'.repeat(full), 'cyan') + this.style('░'.repeat(length - full), 'dim');
    this.#out.write(`\r    ${bar} ${percent}  ${words}\x1b[K`);
    this.#open = 'bar';
  }
}
