import { RunpodError } from './RunpodError.js';
import type { Issue } from '../protocol/checks.js';

/** The members of {@link ValidationError} besides those of every error. */
export interface ValidationErrorDetails {
  /** Each issue names the field, the value that was given, and the rule. */
  readonly issues: readonly Issue[];
}

/** The request or its options are not valid. Nothing was sent. */
export class ValidationError extends RunpodError<ValidationErrorDetails> {
  static override readonly brand = 'ValidationError';
  static override readonly code = 'validation';

  declare readonly issues: readonly Issue[];
}
