import { Terminal, piecesOf } from './Terminal.mjs';

/** Milliseconds between two pictures of the terminal. */
const INTERVAL = 100;

/** A longer pause, in milliseconds, is shortened to this. */
const MAX_PAUSE = 900;

/** The title of a step of the demo. */
const TITLE = /^(\d) {2}/;

/** What the rows showed, and when: each row has its versions `{ at, pieces }`, the first at which it holds anything. */
export function versionsOf(output, steps) {
  const terminal = new Terminal();
  const rows = [];
  let now = 0;
  let before = output[0]?.at ?? 0;
  let shownUntil = -Infinity;
  const shoot = () => {
    selectRows(terminal.rows, steps).forEach((row, index) => addVersion((rows[index] ??= []), now, piecesOf(row)));
    shownUntil = now + INTERVAL;
  };
  for (const { at, text } of output) {
    const shown = stepOf(terminal.rows);
    if (steps.includes(shown)) now += Math.min(at - before, MAX_PAUSE);
    before = at;
    terminal.write(text);
    if (now >= shownUntil) shoot();
  }
  shoot();
  return { rows, duration: Math.round(now) };
}

function addVersion(versions, at, pieces) {
  if (JSON.stringify(versions.at(-1)?.pieces ?? []) === JSON.stringify(pieces)) return;
  if (versions.at(-1)?.at === at) versions.pop();
  versions.push({ at, pieces });
}

/** The number of the step that is shown last; `undefined` before the first. */
function stepOf(rows) {
  return rows.map(numberOf).findLast((number) => number !== undefined);
}

function numberOf(row) {
  const number = TITLE.exec(row.map(({ character }) => character).join(''))?.[1];
  return number === undefined ? undefined : Number(number);
}

/** The rows of the chosen steps. */
function selectRows(rows, steps) {
  let step;
  return rows.filter((row) => {
    step = numberOf(row) ?? step;
    return steps.includes(step);
  });
}
