import type { Issue } from '../protocol/checks.js';
import { RunpodError, type ErrorContext } from './RunpodError.js';

/** What the caller gave cannot be sent; nothing was. Each issue names the field, what was given and the rule. */
export class ValidationError extends RunpodError {
  static override readonly brand = 'ValidationError';

  readonly issues: readonly Issue[];

  constructor(issues: readonly Issue[], context: ErrorContext) {
    super(
      'invalid_request',
      `${context.operation} was not sent: ${issues.map(({ field, given, rule }) => `${field} is ${given}, but ${rule}`).join('; ')}`,
      { accepted: 'no', ...context },
    );
    this.issues = issues;
  }
}
