import type { ErrorContext } from './RunpodError.js';
import { RunpodError } from './RunpodError.js';
import type { ErrorsByCode } from './isRunpodError.js';

/**
 * An error of this library as a union that narrows on `code`: for views, which have no `catch` and no `instanceof`.
 *
 * ```ts
 * function words(error: CodedError): string {
 *   return error.code === 'job_failed' ? error.snapshot.error.message : 'Something went wrong.';
 * }
 * ```
 *
 * `'runpod'` is the code of what is no error of this library, such as an error that the caller's own function threw: it is
 * the `cause`.
 *
 * @typeParam K - the codes that the error may have
 */
export type CodedError<K extends keyof ErrorsByCode | 'runpod' = keyof ErrorsByCode | 'runpod'> = {
  [P in K]: (P extends keyof ErrorsByCode ? ErrorsByCode[P] : RunpodError) & { readonly code: P };
}[K];

/** The codes of {@link CodedError} that `jobError` makes of a job's end. */
export type JobErrorCode = 'job_failed' | 'job_cancelled' | 'job_timed_out' | 'job_deadline';

/**
 * Any error as data with a `code`. An error of this library is returned as it is; any other value is the `cause` of a new
 * one.
 */
export function codedError(error: unknown, context: ErrorContext = { operation: 'job' }): CodedError {
  // The classes of this library have no other codes than those of the table.
  if (error instanceof RunpodError) return error as CodedError;
  const message = error instanceof Error ? error.message : String(error);
  return new RunpodError(message, { ...context, cause: error }) as CodedError<'runpod'>;
}
