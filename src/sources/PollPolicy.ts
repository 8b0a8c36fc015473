import type { PollPolicy } from '../types/PollPolicy.js';

/**
 * The default policy: a tenth of the job's age, at least 0.5 s and at most 5 s, ± 15 %. So the end of a short job is seen
 * soon, and a long job costs few requests. The random part keeps many watchers from reading at the same moment.
 *
 * @param random - a number from 0 up to 1
 */
export function adaptivePolicy(random: () => number = Math.random): PollPolicy {
  return ({ age }) => Math.min(5000, Math.max(500, age * 0.1)) * (0.85 + 0.3 * random());
}

/** A policy that always returns the same delay, in milliseconds. */
export function fixedPolicy(every: number): PollPolicy {
  return () => every;
}

/** The policy that options give. A fixed delay takes precedence over a policy. */
export function policyOf({
  every,
  poll,
}: {
  readonly every?: number;
  readonly poll?: PollPolicy;
}): PollPolicy | undefined {
  return every === undefined ? poll : fixedPolicy(every);
}
