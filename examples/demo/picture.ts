import type { Tile } from './handlers/index.js';

const SHADES = ' .:-=+*#%@';

/** Draws a picture in lines of text, two rows of pixels a line: half blocks with colour, letters without. */
export function picture(rows: Tile, colour: boolean): string[] {
  const lines: string[] = [];
  for (let at = 0; at + 1 < rows.length; at += 2) {
    const [upper = [], lower = []] = rows.slice(at, at + 2);
    const cells = upper.map((value, column) => {
      const below = lower[column] ?? 1;
      return colour ? `\x1b[38;5;${shade(value)};48;5;${shade(below)}m▀` : letter((value + below) / 2);
    });
    lines.push(colour ? `${cells.join('')}\x1b[0m` : cells.join('').trimEnd());
  }
  return lines;
}

/** Gives one of the terminal's 256 colours: from deep blue over white to gold, black for points that never escape. */
function shade(value: number): number {
  if (value >= 1) return 16;
  const ramp = [17, 18, 19, 25, 31, 37, 74, 116, 153, 195, 230, 229, 222, 215, 208, 202, 160, 124];
  return ramp[Math.min(ramp.length - 1, Math.floor(Math.sqrt(value) * ramp.length))] ?? 16;
}

function letter(value: number): string {
  return SHADES[Math.min(SHADES.length - 1, Math.floor(Math.sqrt(value) * SHADES.length))] ?? ' ';
}
