import { concatMap, defer, map, range, tap, type Observable } from 'rxjs';
import type { HandlerContext, HandlerJob } from 'runpod-rx/emulator';
import { escape } from './escape.js';

/** Which square of a large picture of the Mandelbrot set to compute, in pixels. */
export interface PieceInput {
  /** The size of the whole. */
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly top: number;
  readonly edge: number;
}

/** Its pixels, row by row, one byte each, in base64: how fast the point escapes, and 255 for those that never do. */
export interface Piece {
  readonly pixels: string;
}

/** How many rows are computed in one go: a few milliseconds, in which the server answers nobody. */
const ROWS = 16;

/** What one go takes on the worker, in milliseconds. */
const PACE = 25;

const NEVER = 255;

/** A handler that computes squares, and once has bad luck with the one in the middle. */
export function renderer() {
  let unlucky = true;
  return ({ input }: HandlerJob<Record<string, unknown> & PieceInput>, { delay }: HandlerContext): Observable<Piece> =>
    defer(() => {
      const { width, height, left, top, edge } = input;
      const scale = 3.1 / width;
      const pixels = Buffer.alloc(edge * edge, NEVER);
      const inTheMiddle = Math.abs(left - width / 2) < edge && Math.abs(top - height / 2) < edge;
      if (inTheMiddle && unlucky) {
        unlucky = false;
        throw new Error('CUDA out of memory');
      }
      const compute = (row: number) => {
        for (let column = 0; column < edge; column++) {
          const speed = escape((left + column - width * 0.71) * scale, (top + row - height / 2) * scale);
          if (speed < 1) pixels[row * edge + column] = Math.floor(Math.sqrt(speed) * NEVER);
        }
      };
      return range(0, edge / ROWS).pipe(
        concatMap((slice) => delay(PACE).pipe(map(() => slice * ROWS))),
        tap((from) => {
          for (let row = from; row < from + ROWS; row++) compute(row);
        }),
        concatMap((from) => (from + ROWS < edge ? [] : [{ pixels: pixels.toString('base64') }])),
      );
    });
}
