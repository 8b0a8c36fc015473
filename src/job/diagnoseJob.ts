import {
  catchError,
  combineLatest,
  distinctUntilChanged,
  map,
  startWith,
  switchMap,
  takeWhile,
  throwError,
  timer,
  type Observable,
} from 'rxjs';
import { diagnose } from '../protocol/diagnose.js';
import { sameJson } from '../protocol/json.js';
import type { Diagnosis } from '../types/Diagnosis.js';
import type { JobContext } from './JobContext.js';
import { withJobPolicy } from './jobPolicy.js';

/** Why a job waits, from the moment that it has an id until it is over. Emits when that changes. */
export function diagnoseJob(job: JobContext): Observable<Diagnosis> {
  const { backend, scheduler } = job;
  const id$ = job.waitFor(() => {
    const { id, error } = job.state;
    // Nothing says that it is an `Error`: it may come from the caller's `beforeSubmit`.
    if (error !== undefined) throw error as Error;
    return id;
  });
  return id$.pipe(
    // An error that came synchronously would have a bare `retry()` call itself without end.
    catchError((error: unknown) => timer(0, scheduler).pipe(switchMap(() => throwError(() => error)))),
    switchMap(() => {
      const submittedAt = job.ref && backend.submittedAt(job.ref);
      const request = job.state.request ?? job.origin.request;
      const ttl = request && withJobPolicy(request, job.timeout).policy?.ttl;
      return combineLatest([
        backend.watch(job.id, { ref: job.origin.ref }),
        backend.watchHealth().pipe(startWith(undefined)),
      ]).pipe(map(([snapshot, health]) => diagnose(snapshot, health, { submittedAt, ttl, now: scheduler.now() })));
    }),
    distinctUntilChanged<Diagnosis>(sameJson),
    takeWhile(({ reason }) => reason !== 'ended', true),
  );
}
