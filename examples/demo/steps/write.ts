import { connect, first, merge, mergeMap, tap, type Observable } from 'rxjs';
import { ownJob } from '../ownJob.js';
import type { Stage } from '../Stage.js';
import { showStates } from '../words.js';

/** A job that streams: its states, and its chunks as they come. */
export function write({ client, screen, cancelling }: Stage): Observable<unknown> {
  const endpoint = client.endpoint<{ words: number; seed: number }, string[], string>('writer');
  return ownJob(endpoint, { input: { words: 45, seed: 12 } }, cancelling).pipe(
    showStates(screen),
    connect((job$) => {
      const chunk$ = job$.pipe(
        // Chunks wait at the server: nothing is missed by reading them a little later.
        first(({ status }) => status !== 'IN_QUEUE'),
        mergeMap(({ id }) => endpoint.stream(id)),
      );
      return merge(job$, chunk$.pipe(tap((chunk) => screen.text(chunk))));
    }),
  );
}
