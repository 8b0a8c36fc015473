import { issuesText, type Issue } from '../protocol/checks.js';
import type { ErrorContext } from './RunpodError.js';
import { ValidationError } from './ValidationError.js';

/** The error for what cannot be sent. */
export function invalidRequest(issues: readonly Issue[], context: ErrorContext): ValidationError {
  return new ValidationError(
    `${context.operation} was not sent: ${issuesText(issues)}`,
    { ...context, accepted: 'no' },
    { issues },
  );
}
