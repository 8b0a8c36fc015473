import { catchError, concatMap, map, of, type Observable } from 'rxjs';
import type { CancelOutcome } from './cancelUntilConfirmed.js';
import type { JobContext } from './JobContext.js';

/**
 * Cancels a job on the server until that is confirmed, also after unsubscribing. Emits what became of the job, with its
 * output checked; an output that does not match its schema is the outcome's `error`.
 */
export function requestCancel(job: JobContext, options: { readonly onlyIfQueued: boolean }): Observable<CancelOutcome> {
  const { backend } = job;
  const urgent = job.state.snapshot?.status === 'IN_PROGRESS';
  return backend.cancel(job.id, { ...options, urgent }).pipe(
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
