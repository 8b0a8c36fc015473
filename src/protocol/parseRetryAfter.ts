import type { Reply } from '../types/Transport.js';

const A_YEAR = 365 * 86_400_000;

/**
 * How long an answer asks to wait, in milliseconds; `undefined` where it does not ask. `Retry-After` holds seconds or a
 * date. A date is compared with the answer's own `Date` header, so that the clocks of server and client need not agree.
 * At least 0, for a date that has passed, and at most a year.
 *
 * @param now - milliseconds since the epoch, for an answer without a `Date` header
 */
export function parseRetryAfter(headers: Reply['headers'], now: number): number | undefined {
  const value = headers['retry-after'] ?? '';
  if (/^\s*\d+(\.\d+)?\s*$/.test(value)) return Math.min(A_YEAR, Number(value) * 1000);
  // Some engines parse a negative number as a date. An HTTP date has letters.
  if (!/[a-z]/i.test(value)) return undefined;
  const wait = Date.parse(value) - (Date.parse(headers.date ?? '') || now);
  return Number.isNaN(wait) ? undefined : Math.min(A_YEAR, Math.max(0, wait));
}
