import type { PollPolicy } from '../types/PollPolicy.js';

/**
 * The default policy: a tenth of the job's age, at least 0.5 s and at most 5 s, ± 15 %. A short job is noticed fast and
 * a long one costs few requests; the spread keeps many watchers from asking at once.
 *
 * @param random - a number from 0 up to 1
 */
export function adaptivePolicy(random: () => number = Math.random): PollPolicy {
  return ({ age }) => Math.min(5000, Math.max(500, age * 0.1)) * (0.85 + 0.3 * random());
}

/** The same delay each time, without a spread, in milliseconds. */
export function fixedPolicy(every: number): PollPolicy {
  return () => every;
}

/** The policy that options name; a fixed delay goes before a function. */
export function policyOf({
  every,
  poll,
}: {
  readonly every?: number;
  readonly poll?: PollPolicy;
}): PollPolicy | undefined {
  return every === undefined ? poll : fixedPolicy(every);
}
