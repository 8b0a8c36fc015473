import { defer, fromEvent, map, of, takeUntil, type MonoTypeOperatorFunction } from 'rxjs';
import { AbortedError } from '../errors/AbortedError.js';
import { invalidOptions } from '../errors/invalidOptions.js';
import type { ErrorContext } from '../errors/RunpodError.js';
import { signal as isSignal } from '../protocol/checkOptions.js';

/**
 * Errors with `AbortedError` as soon as a signal is aborted, and unsubscribes from the source. Where the signal is aborted
 * already, the source is not subscribed to.
 *
 * ```ts
 * endpoint.watch(id).pipe(abortWith(controller.signal));
 * ```
 *
 * Throws `ConfigurationError` where the signal is none.
 *
 * @param signal - without a signal, the result is the source
 * @param context - called on an abort; the error's `operation`, ids and tag
 *
 * Emits and completes as the source does, and passes its error on. Unsubscribing unsubscribes from the source and removes
 * the listener from the signal.
 */
export function abortWith<T>(
  signal: AbortSignal | undefined,
  context: () => ErrorContext = () => ({ operation: 'abortWith' }),
): MonoTypeOperatorFunction<T> {
  if (!signal) return (source) => source;
  const issues = isSignal(signal, 'signal');
  if (issues.length) throw invalidOptions('abortWith', issues);
  const aborted$ = defer(() => (signal.aborted ? of(0) : fromEvent(signal, 'abort'))).pipe(
    map((): never => {
      throw new AbortedError({ ...context(), cause: signal.reason as unknown });
    }),
  );
  return takeUntil(aborted$);
}
