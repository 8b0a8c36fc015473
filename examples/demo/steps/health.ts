import { forkJoin, map, tap, type Observable } from 'rxjs';
import type { Stage } from '../Stage.js';
import { healthWords } from '../words.js';

/** Shows each endpoint's counts of jobs and workers. */
export function health({ client, screen }: Stage, ids: readonly (string | undefined)[]): Observable<unknown> {
  return forkJoin(
    ids.map((id) => {
      const endpoint = client.endpoint(id);
      return endpoint.health().pipe(map((found) => `  ${(endpoint.id ?? '').padEnd(11)}  ${healthWords(found)}`));
    }),
  ).pipe(
    tap((lines) => {
      for (const line of lines) screen.line(line);
    }),
  );
}
