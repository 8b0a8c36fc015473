import { NEVER, pipe, takeUntil, throwError, timeout, type MonoTypeOperatorFunction, type SchedulerLike } from 'rxjs';
import type { ErrorContext, RunpodError } from '../errors/RunpodError.js';
import { RequestTimeoutError } from '../errors/RequestTimeoutError.js';
import { SubmissionUnknownError } from '../errors/SubmissionUnknownError.js';
import { abortWith } from '../operators/abortWith.js';
import type { CallOptions } from '../types/options.js';

/** Ends a call, of one value or many, when its whole `timeout` is over or its signal is aborted. */
export function limit<T>(
  { timeout: whole, signal }: CallOptions,
  context: () => ErrorContext,
  scheduler: SchedulerLike,
): MonoTypeOperatorFunction<T> {
  const aborting = abortWith<T>(signal, context);
  if (whole === undefined) return aborting;
  const timedOut = (): RunpodError => {
    const at = context();
    const error = new RequestTimeoutError(whole, 'timeout', at);
    return at.accepted === 'unknown' ? new SubmissionUnknownError({ ...at, cause: error }) : error;
  };
  const over$ = NEVER.pipe(timeout({ first: whole, scheduler, with: () => throwError(timedOut) }));
  return pipe(takeUntil<T>(over$), aborting);
}
