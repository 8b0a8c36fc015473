/**
 * Draws docs/performance.svg from the figures of `bench fleet`:
 *
 *     npm run bench -- fleet --json > fleet.txt
 *     node scripts/chart.mjs < fleet.txt > docs/performance.svg
 *
 * It shows how soon three clients notice the end of a job, and how many reads a job takes, by the number of workers.
 */
import { text } from 'node:stream/consumers';
import { barPanel, linearScale, logScale, PANEL } from './lib/barPanel.mjs';

/** The clients, with the place of their label in the legend. */
const SERIES = [
  { client: 'runpod-rx', label: 'runpod-rx, as it comes', colour: 'own', x: 0 },
  { client: 'a poll each 5 s', label: 'a poll each 5 s, as RunPod documents', colour: 'poll', x: 210 },
  { client: 'a status-sync loop', label: 'a status-sync loop, as in the official SDK', colour: 'sync', x: 510 },
];
const WORKERS = [100, 300, 1_000];

const MARGIN = 24;
const HEAD = 84;
const FOOT = 66;
const GAP = 36;
const WIDTH = 2 * (MARGIN + PANEL.width) + GAP;
const HEIGHT = HEAD + PANEL.height + FOOT;

/** The background is part of the picture, so that it can be read on any page. */
const STYLE = `
  text { font: 13px system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif; fill: #1f2328; }
  .title { font-weight: 600; font-size: 14px; }
  .value { font-size: 11px; paint-order: stroke; stroke: #ffffff; stroke-width: 3px; }
  .faint { fill: #59636e; font-size: 12px; }
  .card { fill: #ffffff; stroke: #d1d9e0; }
  .grid { stroke: #d1d9e0; }
  .own { fill: #0072b2; }
  .poll { fill: #e69f00; }
  .sync { fill: #8c959f; }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc; }
    .value { stroke: #0d1117; }
    .faint { fill: #9198a1; }
    .card { fill: #0d1117; stroke: #3d444d; }
    .grid { stroke: #3d444d; }
    .own { fill: #56b4e9; }
  }`;

// The figures are the last line of what the bench prints.
const { results } = JSON.parse((await text(process.stdin)).trim().split('\n').at(-1));
process.stdout.write(chart(results.fleet.lines));

function chart(lines) {
  const shown = lines.filter(isShown);
  const valuesOf = (figure) =>
    WORKERS.map((workers) => ({
      label: `${workers.toLocaleString('en')} workers`,
      bars: SERIES.map(({ client, colour }) => ({
        colour,
        value: shown.find((line) => line.client === client && line.workers === workers)[figure],
      })),
    }));
  const panels = [
    barPanel({ title: 'Mean notice of an end, in seconds (log scale)', scaleOf: logScale, groups: valuesOf('notice') }),
    barPanel({ title: 'Reads for each job', scaleOf: linearScale, groups: valuesOf('readsPerJob') }),
  ];
  const placed = panels.map(
    (panel, at) => `<g transform="translate(${MARGIN + at * (PANEL.width + GAP)} ${HEAD})">${panel}</g>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" aria-labelledby="title">
<title id="title">Mean notice and reads for each job, of three clients at 100, 300 and 1,000 workers</title>
<style>${STYLE}
</style>
<rect class="card" x="0.5" y="0.5" width="${WIDTH - 1}" height="${HEIGHT - 1}" rx="8"/>
${legend()}
${placed.join('\n')}
<text class="faint" x="${MARGIN}" y="${HEIGHT - 16}">Less is better. 10,000 jobs on one endpoint, 1.5 in flight for each worker; base limits, sliding windows.</text>
</svg>
`;
}

/** The lines of the chart's clients with 1.5 jobs in flight for each worker. */
function isShown({ client, limits, window, inFlight }) {
  return SERIES.some((one) => one.client === client) && limits === 'base' && window === 'sliding' && inFlight !== 'all';
}

function legend() {
  return SERIES.map(
    ({ label, colour, x }) =>
      `<rect class="${colour}" x="${MARGIN + x}" y="20" width="14" height="14" rx="2"/>` +
      `<text x="${MARGIN + x + 22}" y="32">${label}</text>`,
  ).join('\n');
}
