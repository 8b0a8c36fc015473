import { concatMap, defer, map, range, tap, type Observable } from 'rxjs';
import type { HandlerContext, HandlerJob } from 'runpod-rx/emulator';
import { escape } from './escape.js';

/** A square of a large picture of the Mandelbrot set, in pixels. */
export interface PieceInput {
  /** The size of the whole picture. */
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly top: number;
  readonly edge: number;
}

/** The pixels of a square, row by row, one byte each, in base64; 255 for points that never escape. */
export interface Piece {
  readonly pixels: string;
}

/** Rows that are computed at once. That takes a few milliseconds, in which the server answers no request. */
const ROWS = 16;

/** How long the worker takes for that many rows, in milliseconds. */
const PACE = 25;

const NEVER = 255;

/** Makes a handler that computes squares. The first attempt at a square in the middle fails. */
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
