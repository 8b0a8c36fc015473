import { RunpodError } from './RunpodError.js';
import type { Issue } from '../protocol/checks.js';

/** What a {@link ValidationError} says. */
export interface ValidationErrorDetails {
  readonly issues: readonly Issue[];
}

/** What the caller gave cannot be sent; nothing was. Each issue names the field, what was given and the rule. */
export class ValidationError extends RunpodError<ValidationErrorDetails> {
  static override readonly brand = 'ValidationError';
  static override readonly code = 'validation';

  declare readonly issues: readonly Issue[];
}
