import { reportUnhandled } from '../errors/reportUnhandled.js';

/**
 * The option `random`, made safe: it only spreads pauses, so where it throws, or gives anything but a number from 0 to 1,
 * `Math.random` takes its place.
 */
export function spreadBy(random: () => unknown = Math.random): () => number {
  return () => {
    try {
      const drawn = random();
      if (typeof drawn === 'number' && drawn >= 0 && drawn <= 1) return drawn;
    } catch (error) {
      reportUnhandled(error);
    }
    return Math.random();
  };
}
