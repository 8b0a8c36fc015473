import { EMPTY, exhaustMap, filter, map, merge, of, take, timer } from 'rxjs';
import type { Observable, SchedulerLike } from 'rxjs';
import type { JobModel } from './JobModel.js';

/**
 * Emits once: at once if `ready` returns true, else after a change of the job that makes it true, else after `wait`
 * milliseconds.
 *
 * A change is answered in the scheduler's next turn. Changes of the same moment are thus in one answer, as on the service:
 * the last chunk of a stream together with the status COMPLETED. `ready` is asked again in that turn, since another reader
 * may have taken the chunk.
 */
export function hold(job: JobModel, ready: () => boolean, wait: number, scheduler: SchedulerLike): Observable<void> {
  if (ready()) return of(undefined);
  const changed$ = job.changed$.pipe(
    filter(ready),
    exhaustMap(() => timer(0, scheduler)),
    filter(ready),
  );
  return merge(changed$, wait > 0 ? timer(wait, scheduler) : EMPTY).pipe(
    take(1),
    map(() => undefined),
  );
}
