import { ConfigurationError } from '../errors/ConfigurationError.js';
import type { ErrorContext } from '../errors/RunpodError.js';
import { clampDelay } from '../protocol/clampDelay.js';
import type { PollContext, PollPolicy } from '../types/PollPolicy.js';

/**
 * A hint that something may have changed hurries the next read, but not to sooner than this after the last answer, in
 * milliseconds. It is the shortest delay of the default policy.
 */
export const HINT_GAP = 500;

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

/** The delay that a policy asks for. Throws `ConfigurationError` where the policy, which may be the caller's, throws. */
export function policyDelay(policy: PollPolicy, given: PollContext, context: ErrorContext): number {
  try {
    return clampDelay(policy(given));
  } catch (cause) {
    throw new ConfigurationError('the function given as poll failed', { ...context, cause });
  }
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
