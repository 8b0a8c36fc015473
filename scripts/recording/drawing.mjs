/** Sizes in pixels. */
const LINE = 18;
const CHARACTER = 7.85;
const MARGIN = 18;
const BAR = 34;

/** Rows that the terminal shows at once. */
const VISIBLE = 24;

/** How long the last picture stays, in milliseconds. */
const REST = 5_000;

const STYLE = `
  text { font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace; fill: #1f2328; white-space: pre; }
  .window { fill: #ffffff; stroke: #d1d9e0; }
  .button { fill: #d1d9e0; }
  .name, .dim { fill: #6e7781; }
  .bold { font-weight: 600; }
  .red { fill: #cf222e; } .green { fill: #1a7f37; } .yellow { fill: #9a6700; } .cyan { fill: #0969da; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .window { fill: #0d1117; stroke: #3d444d; }
    .button { fill: #3d444d; }
    .name, .dim { fill: #8b949e; }
    .red { fill: #ff7b72; } .green { fill: #56d364; } .yellow { fill: #e3b341; } .cyan { fill: #58a6ff; }
  }`;

/**
 * Draws a recording as an SVG that plays by itself, again and again. Without animation it shows the end.
 *
 * @param picture - a small picture below the last row
 */
export function drawing({ rows, duration }, { columns, title, picture }) {
  const total = duration + REST;
  const pictureRows = picture ? Math.ceil((picture.height + LINE) / LINE) : 0;
  const width = Math.ceil(columns * CHARACTER + 2 * MARGIN);
  const height = BAR + VISIBLE * LINE + MARGIN;
  const at = { total, end: duration };
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `<title>${escaped(title)}</title>`,
    `<style>${STYLE}\n</style>`,
    `<rect class="window" x=".5" y=".5" width="${width - 1}" height="${height - 1}" rx="9"/>`,
    ...[0, 1, 2].map((nth) => `<circle class="button" cx="${20 + nth * 18}" cy="18" r="5.5"/>`),
    `<text class="name" x="${width / 2}" y="22" text-anchor="middle">npm run demo</text>`,
    `<clipPath id="screen"><rect x="0" y="${BAR}" width="${width}" height="${VISIBLE * LINE + 4}"/></clipPath>`,
    `<g clip-path="url(#screen)"><g transform="translate(0 ${-offset(rows.length + pictureRows)})">`,
    scrolling(rows, pictureRows, at),
    ...rows.flatMap((versions, row) => versions.map((_, nth) => rowOf(versions, nth, row, total))),
    ...(picture ? [pictureOf(picture, rows.length, at)] : []),
    '</g></g>',
    '</svg>',
    '',
  ].join('\n');
}

/** How far the rows are moved up when there are so many. */
function offset(count) {
  return Math.max(0, count - VISIBLE) * LINE;
}

/** Moves the rows up as they become more. */
function scrolling(rows, pictureRows, { total, end }) {
  const moves = rows.flatMap(([first], row) =>
    first && row >= VISIBLE ? [{ at: first.at, by: offset(row + 1) }] : [],
  );
  const steps = [{ at: 0, by: 0 }, ...moves, { at: end, by: offset(rows.length + pictureRows) }];
  const values = steps.map(({ by }) => `0 ${-by}`).join(';');
  const times = steps.map(({ at }) => fraction(at, total)).join(';');
  return `<animateTransform attributeName="transform" type="translate" calcMode="discrete" dur="${total / 1_000}s" repeatCount="indefinite" values="${values}" keyTimes="${times}"/>`;
}

/** One version of a row, which is seen until the next version comes. */
function rowOf(versions, nth, row, total) {
  const { at, pieces } = versions[nth];
  const spans = pieces.map(({ style, text }) =>
    style ? `<tspan class="${style}">${escaped(text)}</tspan>` : escaped(text),
  );
  const until = versions[nth + 1]?.at;
  const hidden = until === undefined ? '' : ' visibility="hidden"';
  const y = BAR + (row + 1) * LINE - 4;
  return `<text x="${MARGIN}" y="${y}"${hidden}>${spans.join('')}${seen(at, until, total)}</text>`;
}

function pictureOf({ width, height, png }, row, { total, end }) {
  const place = `x="${MARGIN + 4 * CHARACTER}" y="${BAR + row * LINE}" width="${width}" height="${height}"`;
  return `<image ${place} href="data:image/png;base64,${png.toString('base64')}">${seen(end, undefined, total)}</image>`;
}

/** Shows an element from a time on, and until another. */
function seen(from, until, total) {
  const steps = [[0, 'hidden'], [from, 'visible'], ...(until === undefined ? [] : [[until, 'hidden']])];
  const shown = steps.filter(([at], nth) => steps[nth + 1]?.[0] !== at);
  const values = shown.map(([, value]) => value).join(';');
  const times = shown.map(([at]) => fraction(at, total)).join(';');
  return `<animate attributeName="visibility" calcMode="discrete" dur="${total / 1_000}s" repeatCount="indefinite" values="${values}" keyTimes="${times}"/>`;
}

function fraction(at, total) {
  return Number((at / total).toFixed(4));
}

function escaped(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
