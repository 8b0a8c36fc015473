import * as library from 'runpod-rx';
import { catchError, from, map, mergeMap, of } from 'rxjs';

/** Whether this version of the package has pipelines. */
export const hasRunAll = 'runAll' in library;

/**
 * Runs a job for each request, `concurrency` at once, and emits `{ index, ok, output | error }` for each job that is over. By
 * `runAll`, or by `mergeMap` in versions without it; `mergeMap` takes all requests ahead.
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
