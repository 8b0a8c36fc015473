import { map, takeUntil, timer, type MonoTypeOperatorFunction, type SchedulerLike } from 'rxjs';
import type { ErrorContext } from '../errors/RunpodError.js';
import { submissionUnknown } from '../errors/submissionUnknown.js';
import { timedOut } from '../errors/timedOut.js';
import { abortWith } from '../operators/abortWith.js';
import type { CallOptions } from '../types/callOptions.js';

/** Ends a call, of one value or many, when its whole `timeout` is over or its signal is aborted. */
export function withTimeoutAndSignal<T>(
  { timeout, signal }: CallOptions,
  context: () => ErrorContext,
  scheduler: SchedulerLike,
  submission: boolean,
): MonoTypeOperatorFunction<T> {
  const aborting = abortWith<T>(signal, context);
  if (timeout === undefined) return aborting;
  const over$ = timer(timeout, scheduler).pipe(
    map((): never => {
      const at = context();
      const over = timedOut(timeout, 'timeout', at);
      throw submission && at.accepted === 'unknown' ? submissionUnknown(at, over) : over;
    }),
  );
  return (source) => aborting(source.pipe(takeUntil(over$)));
}
