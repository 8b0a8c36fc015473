import { MAX_TIMER } from './limits.js';

/** A delay that a timer can keep, in milliseconds. A negative delay, or one that is no number, becomes one second. */
export function clampDelay(delay: number): number {
  return delay >= 0 ? Math.min(MAX_TIMER, delay) : 1000;
}
