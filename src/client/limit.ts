import { NEVER, pipe, takeUntil, throwError, timeout, type MonoTypeOperatorFunction, type SchedulerLike } from 'rxjs';
import type { ErrorContext } from '../errors/RunpodError.js';
import { submissionUnknown } from '../errors/submissionUnknown.js';
import { timedOut } from '../errors/timedOut.js';
import { abortWith } from '../operators/abortWith.js';
import type { CallOptions } from '../types/options.js';

/** Ends a call, of one value or many, when its whole `timeout` is over or its signal is aborted. */
export function limit<T>(
  { timeout: first, signal }: CallOptions,
  context: () => ErrorContext,
  scheduler: SchedulerLike,
  submission: boolean,
): MonoTypeOperatorFunction<T> {
  const aborting = abortWith<T>(signal, context);
  if (first === undefined) return aborting;
  const error = () => {
    const at = context();
    const over = timedOut(first, 'timeout', at);
    return submission && at.accepted === 'unknown' ? submissionUnknown(at, over) : over;
  };
  return pipe(takeUntil<T>(NEVER.pipe(timeout({ first, scheduler, with: () => throwError(error) }))), aborting);
}
