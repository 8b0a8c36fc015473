import type { Issue } from '../protocol/checks.js';
import { checkOptions, type Checks } from '../protocol/checkOptions.js';
import type { Operation } from '../types/Operation.js';
import { ConfigurationError } from './ConfigurationError.js';

/** The error for options that cannot work, of a function that throws it at the call. */
export function invalidOptions(operation: Operation, issues: readonly Issue[]): ConfigurationError {
  return new ConfigurationError(issues.map(({ field, given, rule }) => `${field} is ${given}: it ${rule}`).join('; '), {
    operation,
  });
}

/**
 * Throws where any option is wrong. For the functions that stand by themselves; the methods of an endpoint error instead,
 * once they are subscribed to.
 *
 * @param operation - the public function that is called, for the error
 */
export function assertOptions<T extends object>(operation: Operation, given: unknown, checks: Checks<T>): void {
  const issues = checkOptions(given, checks);
  if (issues.length) throw invalidOptions(operation, issues);
}
