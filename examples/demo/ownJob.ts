import { concat, concatMap, of, ReplaySubject, share, tap, type Observable } from 'rxjs';
import { isTerminal, type Endpoint, type JobRequest, type JobSnapshot } from 'runpod-rx';
import { distinctSnapshots } from 'runpod-rx/operators';

/**
 * Submits a job and follows it to its end; emits every snapshot that differs from the one before. Who leaves earlier
 * cancels the job on the server: `run` and `watch` alone would let it go on.
 *
 * @param cancelling - is told of the cancel that is under way, which goes on by itself
 */
export function ownJob<I extends object, O>(
  endpoint: Endpoint<I, O>,
  request: JobRequest<I>,
  cancelling: (answer$: Observable<JobSnapshot<O>>) => void,
): Observable<JobSnapshot<O>> {
  return endpoint.run(request).pipe(
    concatMap((submitted) => {
      let over = false;
      return concat(of(submitted), endpoint.watch(submitted.id)).pipe(
        distinctSnapshots(),
        tap({
          next: (snapshot) => (over = isTerminal(snapshot)),
          unsubscribe: () => {
            if (over) return;
            const answer$ = endpoint.cancel(submitted.id).pipe(share({ connector: () => new ReplaySubject(1) }));
            answer$.subscribe({ error: () => undefined });
            cancelling(answer$);
          },
        }),
      );
    }),
  );
}
