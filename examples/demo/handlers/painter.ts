import { concatMap, map, range, tap, toArray, type Observable } from 'rxjs';
import type { HandlerContext, HandlerJob } from 'runpod-rx/emulator';
import { escape } from './escape.js';

/** Which rows of a picture of the Mandelbrot set to compute. */
export interface TileInput {
  readonly width: number;
  readonly height: number;
  readonly from: number;
  readonly rows: number;
}

/** Rows of pixels, each a number from 0 to 1, as `escape` gives it. */
export type Tile = readonly (readonly number[])[];

/** Computes a tile row by row, and reports progress. It is an Observable, so that a cancel stops it between two rows. */
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
