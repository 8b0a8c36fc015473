import { EMPTY, exhaustMap, filter, map, merge, of, take, timer } from 'rxjs';
import type { Observable, SchedulerLike } from 'rxjs';
import type { JobModel } from './JobModel.js';

/**
 * Emits once: at once if `ready`, else when a change of the job made it so, else after `wait` milliseconds.
 *
 * A change is looked at in the scheduler's next turn. Thus what happens in one moment is answered in one: the last chunk of
 * a stream together with the status COMPLETED, as the service does it. And of two readers only one finds the chunk.
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
