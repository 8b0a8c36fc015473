import {
  catchError,
  combineLatest,
  distinctUntilChanged,
  map,
  startWith,
  switchMap,
  takeWhile,
  tap,
  throwError,
  timer,
  type Observable,
} from 'rxjs';
import { diagnose } from '../protocol/diagnose.js';
import { sameJson } from '../protocol/json.js';
import type { Diagnosis } from '../types/Diagnosis.js';
import type { JobSnapshot } from '../types/JobSnapshot.js';
import type { JobContext } from './JobContext.js';
import { withJobPolicy } from './jobPolicy.js';

/** Why a job waits, from the moment that it has an id until it is over. Emits when that changes. */
export function diagnoseJob(job: JobContext): Observable<Diagnosis> {
  const { backend, scheduler } = job;
  const id$ = job.waitFor(() => {
    const { id, error, recording } = job.state;
    // Nothing says that it is an `Error`: it may come from the caller's `beforeSubmit`.
    if (error !== undefined) throw error as Error;
    return recording ? undefined : id;
  });
  return id$.pipe(
    // An error that came synchronously would have a bare `retry()` call itself without end.
    catchError((error: unknown) => timer(0, scheduler).pipe(switchMap(() => throwError(() => error)))),
    switchMap(() => {
      const submittedAt = job.ref && backend.submittedAt(job.ref);
      const request = job.state.request ?? job.origin.request;
      const ttl = request && withJobPolicy(request, job.timeout).policy?.ttl;
      // Once the job runs, nothing but its end is of interest. A view of the job may be told first that it does.
      let last: JobSnapshot | undefined;
      const endOnly = () => [last, job.state.snapshot].some((one) => one?.status === 'IN_PROGRESS');
      const snapshot$ = backend
        .watch(job.id, { ref: job.origin.ref, endOnly })
        .pipe(tap((snapshot) => (last = snapshot)));
      return combineLatest([snapshot$, backend.watchHealth().pipe(startWith(undefined))]).pipe(
        map(([snapshot, health]) => diagnose(snapshot, health, { submittedAt, ttl, now: scheduler.now() })),
      );
    }),
    distinctUntilChanged<Diagnosis>(sameJson),
    takeWhile(({ reason }) => reason !== 'ended', true),
  );
}
