import { phaseRule, type OutcomeRule } from '../protocol/statusRules.js';
import { ConnectionError } from './ConnectionError.js';
import { RequestTimeoutError } from './RequestTimeoutError.js';

/** The rule for the error of a request that had no answer; `undefined` for every other error. */
export function unansweredRule(error: unknown): OutcomeRule | undefined {
  if (error instanceof ConnectionError) return phaseRule(error.phase);
  return error instanceof RequestTimeoutError ? phaseRule('sent') : undefined;
}
