import { MAX_TIMER } from './limits.js';

/**
 * A number of an answer that is a count, or a time in milliseconds: rounded to a whole number, and at most 2^31 − 1, which
 * as a time is more than three weeks. `undefined` for a number below 0 or without bounds, and for what is no number.
 */
export function wholeNumber(value: unknown): number | undefined {
  const number = typeof value === 'bigint' ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isFinite(number) || number < 0) return undefined;
  return Math.min(MAX_TIMER, Math.round(number));
}
