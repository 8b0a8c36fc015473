const DEPTH = 80;

/** How fast a point of the Mandelbrot set's plane escapes, from 0 up to 1, and 1 for those that never do. */
export function escape(x0: number, y0: number, depth = DEPTH): number {
  let [x, y] = [0, 0];
  for (let step = 0; step < depth; step++) {
    [x, y] = [x * x - y * y + x0, 2 * x * y + y0];
    // Smooth: how far beyond the bound it is counts as part of a step.
    if (x * x + y * y > 64) return Math.max(0, (step + 1 - Math.log2(Math.log2(x * x + y * y) / 2)) / depth);
  }
  return 1;
}
