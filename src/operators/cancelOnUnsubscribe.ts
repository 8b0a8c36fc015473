import { config, defer, tap, type MonoTypeOperatorFunction } from 'rxjs';
import { assertOptions } from '../errors/invalidOptions.js';
import { callback, text, type Checks } from '../protocol/checkOptions.js';
import { isTerminal } from '../protocol/snapshot.js';
import type { JobSnapshot } from '../types/JobSnapshot.js';
import type { Canceller } from '../types/ports.js';

/** Options of {@link cancelOnUnsubscribe}. */
export interface CancelOnUnsubscribeOptions {
  /**
   * The id of the job, so that unsubscribing before the first snapshot cancels the job as well.
   * @defaultValue the `id` of the latest snapshot: unsubscribing before the first snapshot cancels nothing
   */
  readonly id?: string;
  /**
   * Called when a cancel failed: the job may still run, and cost.
   * @defaultValue `config.onUnhandledError` of RxJS, where the application has set it
   */
  readonly onError?: (error: unknown, id: string) => void;
}

const CANCEL_ON_UNSUBSCRIBE: Checks<CancelOnUnsubscribeOptions> = { id: text, onError: callback };

/**
 * Cancels the job on the server when the result is unsubscribed from before the job is over: by the subscriber, or by an
 * operator after this one, such as `takeUntil`, `switchMap` or `timeout`.
 *
 * ```ts
 * endpoint.run(request).pipe(
 *   switchMap(({ id }) => endpoint.watch(id).pipe(cancelOnUnsubscribe(endpoint, { id }))),
 *   takeUntil(closed$),
 * );
 * ```
 *
 * - Nothing is cancelled where the source completes or errors (a failed read says nothing about the job), nor after a
 *   terminal snapshot. An operator before this one that ends the source, such as `takeUntil`, makes the source complete.
 * - `take(1)` and `first()` after this operator unsubscribe at the first snapshot, so they cancel a job that is not over.
 *   So does an error that is thrown in a callback after this operator.
 * - Without `id`, the source should begin with the snapshot of the submission. Else a job whose snapshots are unsubscribed
 *   from between the submission and the first status is not cancelled.
 *
 * The operator first unsubscribes from the source, then subscribes to `canceller.cancel`, once. The cancel goes on after
 * the subscription has ended. Its answer is ignored, and its error goes to `onError`. An `Endpoint` repeats a cancel a
 * bounded number of times, reports each attempt in `activity$`, and does not count it in `settled()`.
 *
 * Emits, completes and errors as the source does. Throws `ConfigurationError` for options that cannot work.
 */
export function cancelOnUnsubscribe<O>(
  canceller: Canceller<unknown>,
  options: CancelOnUnsubscribeOptions = {},
): MonoTypeOperatorFunction<JobSnapshot<O>> {
  assertOptions('cancelOnUnsubscribe', options, CANCEL_ON_UNSUBSCRIBE);
  const { id, onError = (error) => config.onUnhandledError?.(error) } = options;
  return (source) =>
    defer(() => {
      let runningId = id;
      return source.pipe(
        tap({
          next: (snapshot) => {
            runningId = isTerminal(snapshot) ? undefined : snapshot.id;
          },
          unsubscribe: () => {
            if (runningId) cancel(canceller, runningId, onError);
          },
        }),
      );
    });
}

function cancel(
  canceller: Canceller<unknown>,
  id: string,
  onError: Required<CancelOnUnsubscribeOptions>['onError'],
): void {
  // eslint-disable-next-line no-restricted-syntax -- the cancel must go on after the subscription has ended
  defer(() => canceller.cancel(id)).subscribe({
    error: (error: unknown) => {
      onError(error, id);
    },
  });
}
