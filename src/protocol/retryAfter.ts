import type { Reply } from '../types/Transport.js';

/**
 * How long an answer asks to wait, in milliseconds; `undefined` where it does not say. `Retry-After` holds seconds or a
 * date; a date is measured against the answer's own `Date`, so that the two clocks need not agree.
 *
 * @param now - milliseconds since the epoch, used where the answer has no `Date`
 */
export function retryAfterOf(headers: Reply['headers'], now: number): number | undefined {
  const value = headers['retry-after']?.trim();
  if (!value) return undefined;
  if (/^\d+(\.\d+)?$/.test(value)) return Number(value) * 1000;
  // A negative number is a date to some engines.
  const until = /[a-z]/i.test(value) ? Date.parse(value) : NaN;
  if (Number.isNaN(until)) return undefined;
  const sent = Date.parse(headers.date ?? '');
  return Math.max(0, until - (Number.isNaN(sent) ? now : sent));
}
