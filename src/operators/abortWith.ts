import { defer, fromEvent, map, of, takeUntil, type MonoTypeOperatorFunction } from 'rxjs';
import { AbortedError } from '../errors/AbortedError.js';
import type { ErrorContext } from '../errors/RunpodError.js';

/**
 * Errors with `AbortedError` as soon as a signal is aborted, and leaves the source. One that is aborted already keeps
 * the source from being subscribed to at all.
 *
 * ```ts
 * endpoint.watch(id).pipe(abortWith(controller.signal));
 * ```
 *
 * @param signal - without one, the source passes through
 * @param context - what the error says of where it happened, asked for when it does
 *
 * Unsubscribing takes the listener off the signal.
 */
export function abortWith<T>(
  signal: AbortSignal | undefined,
  context: () => ErrorContext = () => ({ operation: 'abortWith' }),
): MonoTypeOperatorFunction<T> {
  if (!signal) return (source) => source;
  const aborted$ = defer(() => (signal.aborted ? of(0) : fromEvent(signal, 'abort'))).pipe(
    map((): never => {
      throw new AbortedError({ ...context(), cause: signal.reason as unknown });
    }),
  );
  return takeUntil(aborted$);
}
