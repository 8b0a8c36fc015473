/** The size of a panel, its title not included, in pixels. */
export const PANEL = { width: 400, height: 220 };

/** Where the bars begin: right of the numbers of the axis. */
const AXIS = 36;
const BAR = 32;
const BAR_GAP = 4;

/**
 * @typedef {object} Scale
 * @property {readonly number[]} ticks
 * @property {(value: number) => number} share - which part of the panel's height a value takes
 */

/** @returns {Scale} a scale from the power of ten below the smallest value to the one above the largest */
export function logScale(values) {
  const from = Math.floor(Math.log10(Math.min(...values)));
  const to = Math.ceil(Math.log10(Math.max(...values)));
  const ticks = Array.from({ length: to - from + 1 }, (_, at) => Number((10 ** (from + at)).toPrecision(1)));
  return { ticks, share: (value) => (Math.log10(value) - from) / (to - from) };
}

/** @returns {Scale} a scale from nothing to an even number above the largest value */
export function linearScale(values) {
  const most = 2 * Math.ceil(Math.max(...values) / 2);
  const ticks = Array.from({ length: most / 2 + 1 }, (_, at) => 2 * at);
  return { ticks, share: (value) => value / most };
}

/**
 * A bar chart as the inner part of an SVG: groups of bars, each with its value above it. Its origin is the upper left corner
 * of the bars' area.
 *
 * @param {object} panel
 * @param {string} panel.title
 * @param {(values: readonly number[]) => Scale} panel.scaleOf
 * @param {readonly { label: string, bars: readonly { value: number, colour: string }[] }[]} panel.groups
 */
export function barPanel({ title, scaleOf, groups }) {
  const { ticks, share } = scaleOf(groups.flatMap(({ bars }) => bars.map(({ value }) => value)));
  const y = (value) => PANEL.height * (1 - share(value));
  const step = (PANEL.width - AXIS) / groups.length;
  return [
    text(0, -18, title, 'title'),
    ...ticks.map(
      (tick) =>
        `<line class="grid" x1="${AXIS}" x2="${PANEL.width}" y1="${px(y(tick))}" y2="${px(y(tick))}"/>` +
        text(AXIS - 6, y(tick) + 4, tick, 'faint', 'end'),
    ),
    ...groups.map(({ label, bars }, at) => {
      const middle = AXIS + (at + 0.5) * step;
      const left = middle - (bars.length * (BAR + BAR_GAP) - BAR_GAP) / 2;
      return [
        ...bars.map((bar, index) => barAt(left + index * (BAR + BAR_GAP), y(bar.value), bar)),
        text(middle, PANEL.height + 20, label, 'faint', 'middle'),
      ].join('\n');
    }),
  ].join('\n');
}

function barAt(x, top, { value, colour }) {
  return (
    `<rect class="${colour}" x="${px(x)}" y="${px(top)}" width="${BAR}" height="${px(PANEL.height - top)}"/>` +
    text(x + BAR / 2, top - 4, shortNumber(value), 'value', 'middle')
  );
}

function text(x, y, words, style, anchor = 'start') {
  return `<text class="${style}" x="${px(x)}" y="${px(y)}" text-anchor="${anchor}">${words}</text>`;
}

const px = (value) => Math.round(value * 10) / 10;

/** Two significant digits at least, without trailing zeros. */
const shortNumber = (value) => String(value < 1 ? Number(value.toPrecision(2)) : Math.round(value * 100) / 100);
