import { issuesText, type Issue } from '../protocol/checks.js';
import type { ErrorContext } from './RunpodError.js';
import { ValidationError } from './ValidationError.js';

/** The error for a request that is not valid and is not sent. */
export function invalidRequest(issues: readonly Issue[], context: ErrorContext): ValidationError {
  return new ValidationError(
    `${context.operation} was not sent: ${issuesText(issues)}`,
    { ...context, accepted: 'no' },
    { issues },
  );
}
