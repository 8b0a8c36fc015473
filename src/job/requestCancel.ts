import { AsyncSubject, catchError, concatMap, map, of, timeout, type Observable, type ObservableInput } from 'rxjs';
import { awaitHook } from '../errors/awaitHook.js';
import { reportUnhandled } from '../errors/reportUnhandled.js';
import type { JobRef } from '../types/JobRef.js';
import type { CancelOutcome } from './cancelUntilConfirmed.js';
import type { JobCancelOptions } from './JobBackend.js';
import type { JobContext } from './JobContext.js';

/** How long a cancel waits for `beforeCancel`, in milliseconds: a job that runs costs money. */
const HOOK_TIME = 5_000;

/**
 * Cancels a job on the server until that is confirmed, also after unsubscribing. Emits what became of the job, with its
 * output checked; an output that does not match its schema is the outcome's `error`.
 */
export function requestCancel(job: JobContext, options: { readonly onlyIfQueued: boolean }): Observable<CancelOutcome> {
  const { backend } = job;
  const urgent = job.state.snapshot?.status === 'IN_PROGRESS';
  const cancelled$ = job.options.beforeCancel
    ? announceAndCancel(job, { ...options, urgent })
    : backend.cancel(job.id, { ...options, urgent });
  return cancelled$.pipe(
    concatMap((result): Observable<CancelOutcome> => {
      if (!result.snapshot) return of(result);
      return of(result.snapshot).pipe(
        backend.checkOutput(),
        map((snapshot) => ({ ...result, snapshot })),
        catchError((error: unknown) => of({ outcome: result.outcome, error })),
      );
    }),
  );
}

/** Calls `beforeCancel`, and cancels the job whatever comes of it. Begins at the call. */
function announceAndCancel(job: JobContext, options: JobCancelOptions): Observable<CancelOutcome> {
  const { backend, scheduler } = job;
  const id = job.id;
  const outcome$ = new AsyncSubject<CancelOutcome>();
  const pending = backend.trackPendingCancel();
  const cancel = () => {
    backend.cancel(id, options).subscribe(outcome$);
    pending.unsubscribe();
  };
  const call = () => job.options.beforeCancel?.(job.ref as JobRef) as ObservableInput<unknown>;
  awaitHook({ hook: 'beforeCancel' }, call, () => job.context('cancel'))
    .pipe(timeout({ first: HOOK_TIME, scheduler }))
    .subscribe({
      complete: cancel,
      error: (error: unknown) => {
        reportUnhandled(error);
        cancel();
      },
    });
  return outcome$;
}
