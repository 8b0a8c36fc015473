import * as library from 'runpod-rx';
import { catchError, from, map, mergeMap, of } from 'rxjs';

/** Whether this version of the package has pipelines. */
export const hasRunAll = 'runAll' in library;

/**
 * A job for each request, so many at once: `{ index, ok, output | error }` for each that is over. By `runAll`, or as one does
 * without it, which takes all requests ahead.
 */
export function pipeline(endpoint, requests, concurrency) {
  if (hasRunAll) return library.runAll(endpoint, requests, { concurrency });
  return from(requests).pipe(
    mergeMap(
      (request, index) =>
        endpoint.job(request).output$.pipe(
          map((output) => ({ index, ok: true, output })),
          catchError((error) => of({ index, ok: false, error })),
        ),
      concurrency,
    ),
  );
}
