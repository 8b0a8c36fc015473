import { map, takeUntil, timer, type MonoTypeOperatorFunction, type SchedulerLike } from 'rxjs';
import type { ErrorContext } from '../errors/RunpodError.js';
import { submissionUnknown } from '../errors/submissionUnknown.js';
import { timedOut } from '../errors/timedOut.js';
import { abortWith } from '../operators/abortWith.js';
import type { CallOptions } from '../types/callOptions.js';

/** What ends a call early needs to know of the call. */
interface CallToEnd {
  /** What errors say of the call at that moment. */
  readonly context: () => ErrorContext;
  readonly scheduler: SchedulerLike;
  /** @defaultValue false */
  readonly isSubmission?: boolean;
}

/** Errors a call, of one value or many, when its `timeout` is over or its `signal` is aborted. */
export function withTimeoutAndSignal<T>(
  { timeout, signal }: CallOptions,
  { context, scheduler, isSubmission = false }: CallToEnd,
): MonoTypeOperatorFunction<T> {
  const aborting = abortWith<T>(signal, context);
  if (timeout === undefined) return aborting;
  const timeout$ = timer(timeout, scheduler).pipe(
    map((): never => {
      const now = context();
      const error = timedOut(timeout, 'timeout', now);
      throw isSubmission && now.accepted === 'unknown' ? submissionUnknown(now, error) : error;
    }),
  );
  return (source) => aborting(source.pipe(takeUntil(timeout$)));
}
