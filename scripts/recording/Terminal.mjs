const ESCAPE = '\u001b';

/** Colours by their code in `ESC [ … m`, as classes of the picture. */
const COLOURS = { 31: 'red', 32: 'green', 33: 'yellow', 36: 'cyan' };

/** An escape sequence, or one character. */
const TOKEN = new RegExp(`${ESCAPE}\\[([\\d;]*)([A-Za-z])|[^]`, 'gu');

/** A terminal that never scrolls a row away. It knows what the demo writes: colours, line breaks, and a bar that is redrawn. */
export class Terminal {
  /** Each row is a list of cells `{ character, style }`. */
  rows = [[]];
  #row = 0;
  #column = 0;
  #style = '';

  write(text) {
    for (const [token, parameters, command] of text.matchAll(TOKEN)) {
      if (command === 'm') this.#setStyle(parameters);
      else if (command === 'K') this.rows[this.#row].length = this.#column;
      else if (token === '\n') this.#breakLine();
      else if (token === '\r') this.#column = 0;
      else if (command === undefined) this.#put(token);
    }
  }

  #put(character) {
    const row = this.rows[this.#row];
    row[this.#column] = { character, style: this.#style };
    this.#column += 1;
  }

  #breakLine() {
    this.#row += 1;
    this.rows[this.#row] ??= [];
    this.#column = 0;
  }

  #setStyle(parameters) {
    for (const code of parameters.split(';').map(Number)) {
      if (code === 0) this.#style = '';
      else this.#style = [this.#style, { 1: 'bold', 2: 'dim' }[code] ?? COLOURS[code]].filter(Boolean).join(' ');
    }
  }
}

/** The cells of a row as pieces of one style each, without blanks at the end. */
export function piecesOf(row) {
  const pieces = [];
  for (const { character, style } of row) {
    const last = pieces.at(-1);
    if (last?.style === style) last.text += character;
    else pieces.push({ style, text: character });
  }
  return pieces;
}
