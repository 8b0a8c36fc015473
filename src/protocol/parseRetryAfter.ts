import type { Reply } from '../types/Transport.js';

/**
 * How long an answer asks to wait, in milliseconds; `undefined` where it does not say. `Retry-After` holds seconds or a
 * date; a date is measured against the answer's own `Date`, so that the two clocks need not agree.
 *
 * @param now - milliseconds since the epoch, used where the answer has no `Date`
 */
export function parseRetryAfter(headers: Reply['headers'], now: number): number | undefined {
  const value = headers['retry-after'] ?? '';
  if (/^\s*\d+(\.\d+)?\s*$/.test(value)) return Number(value) * 1000;
  // A negative number is a date to some engines.
  const wait = /[a-z]/i.test(value) ? Date.parse(value) - (Date.parse(headers.date ?? '') || now) : NaN;
  return Number.isNaN(wait) ? undefined : Math.max(0, wait);
}
