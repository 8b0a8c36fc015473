import { defer, retry, tap, throwError, timer, type MonoTypeOperatorFunction, type SchedulerLike } from 'rxjs';
import { isRunpodError } from '../index.js';

/** How failures are ridden out; all durations in milliseconds. */
export interface RideOutOptions {
  /** Its time counts. */
  readonly scheduler: SchedulerLike;
  /** How long after a failure the read is repeated. */
  readonly every: number;
  /** How long it may fail. */
  readonly outage: number;
}

/** Repeats a read whose failures may pass, until it has failed for `outage`. */
export function rideOut<T>({ scheduler, every, outage }: RideOutOptions): MonoTypeOperatorFunction<T> {
  return (source) =>
    defer(() => {
      let lastSuccessAt = scheduler.now();
      return source.pipe(
        tap(() => {
          lastSuccessAt = scheduler.now();
        }),
        retry({
          delay: (error: unknown) =>
            isRunpodError(error) && error.retryable && scheduler.now() - lastSuccessAt < outage
              ? timer(every, scheduler)
              : throwError(() => error),
        }),
      );
    });
}
