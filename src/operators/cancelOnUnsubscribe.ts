import { config, defer, tap, type MonoTypeOperatorFunction } from 'rxjs';
import { isTerminal } from '../protocol/snapshot.js';
import type { JobSnapshot } from '../types/JobSnapshot.js';
import type { Canceller } from '../types/ports.js';

/** Options of {@link cancelOnUnsubscribe}. */
export interface CancelOnUnsubscribeOptions {
  /**
   * The job, so that leaving cancels it before the first snapshot as well.
   * @defaultValue the `id` of the latest snapshot: who leaves before the first one cancels nothing
   */
  readonly id?: string;
  /**
   * Hears that a cancel failed: the job may still run, and cost.
   * @defaultValue `config.onUnhandledError` of RxJS, where the application has set it
   */
  readonly onError?: (error: unknown, id: string) => void;
}

/**
 * Cancels the job on the server when its snapshots are left before it is over: unsubscribed from, or ended by an
 * operator that comes after this one, such as `takeUntil`, `switchMap` or `timeout`.
 *
 * ```ts
 * endpoint.run(request).pipe(
 *   switchMap(({ id }) => endpoint.watch(id).pipe(cancelOnUnsubscribe(endpoint, { id }))),
 *   takeUntil(closed$),
 * );
 * ```
 *
 * - Nothing is cancelled where the source ends by itself, by completing or by an error (a failure of reading says nothing
 *   of the job), nor after a terminal snapshot. What ends the source before this operator, such as a `takeUntil` above
 *   it, counts as the source ending by itself.
 * - `take(1)` and `first()` after it leave at the first snapshot, so they cancel a job that is not over; an error thrown
 *   in a callback after it leaves as well.
 * - Without `id`, put the snapshot of the submission through it, or a job that is left between its submission and its
 *   first status goes on.
 *
 * The source is left first, then `canceller.cancel` is subscribed to, once. It outlives the subscription, its answer goes
 * to nobody, and its error to `onError`; an `Endpoint` repeats a cancel a bounded number of times, tells of each in
 * `activity$`, and does not count it in `settled()`.
 *
 * Emits, completes and errors as the source does.
 */
export function cancelOnUnsubscribe<O>(
  canceller: Canceller<unknown>,
  { id, onError = (error) => config.onUnhandledError?.(error) }: CancelOnUnsubscribeOptions = {},
): MonoTypeOperatorFunction<JobSnapshot<O>> {
  return (source) =>
    defer(() => {
      let running = id;
      return source.pipe(
        tap({
          next: (snapshot) => {
            running = isTerminal(snapshot) ? undefined : snapshot.id;
          },
          unsubscribe: () => {
            if (running) cancel(canceller, running, onError);
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
  // eslint-disable-next-line no-restricted-syntax -- it has to outlive the subscription that it comes from
  defer(() => canceller.cancel(id)).subscribe({
    error: (error: unknown) => {
      onError(error, id);
    },
  });
}
