import { concatMap, map, range, tap, toArray, type Observable } from 'rxjs';
import type { HandlerContext, HandlerJob } from 'runpod-rx/emulator';

/** Which rows of a picture of the Mandelbrot set to compute. */
export interface TileInput {
  readonly width: number;
  readonly height: number;
  readonly from: number;
  readonly rows: number;
}

/** Rows of pixels: how fast each point escapes, from 0 up to 1, and 1 for those that never do. */
export type Tile = readonly (readonly number[])[];

const DEPTH = 80;

function escape(x0: number, y0: number): number {
  let [x, y] = [0, 0];
  for (let step = 0; step < DEPTH; step++) {
    [x, y] = [x * x - y * y + x0, 2 * x * y + y0];
    // Smooth: how far beyond the bound it is counts as part of a step.
    if (x * x + y * y > 64) return Math.max(0, (step + 1 - Math.log2(Math.log2(x * x + y * y) / 2)) / DEPTH);
  }
  return 1;
}

/** Computes a tile row by row, reporting progress; an Observable, so that a cancel stops it between two rows. */
export function painter(
  { input }: HandlerJob<Record<string, unknown> & TileInput>,
  { delay, progress }: HandlerContext,
): Observable<Tile> {
  const { width, height, from, rows } = input;
  const scale = 3.1 / width;
  const row = (at: number) =>
    Array.from({ length: width }, (_, column) => escape((column - width * 0.71) * scale, (at - height / 2) * scale));
  let done = 0;
  return range(0, rows).pipe(
    concatMap((at) => delay(120 + 15 * (from % 7)).pipe(map(() => row(from + at)))),
    tap({ next: () => progress({ done: ++done, of: rows }) }),
    toArray(),
  );
}
