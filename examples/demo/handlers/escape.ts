const DEPTH = 80;

/** How long a point takes to escape the Mandelbrot iteration, from 0 to 1. A point that never escapes gives 1. */
export function escape(x0: number, y0: number, depth = DEPTH): number {
  let [x, y] = [0, 0];
  for (let step = 0; step < depth; step++) {
    [x, y] = [x * x - y * y + x0, 2 * x * y + y0];
    // Smooth colours: the distance beyond the bound counts as a fraction of a step.
    if (x * x + y * y > 64) return Math.max(0, (step + 1 - Math.log2(Math.log2(x * x + y * y) / 2)) / depth);
  }
  return 1;
}
