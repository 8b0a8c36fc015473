import { concat, filter, first, merge, switchMap, takeWhile, tap, type Observable } from 'rxjs';
import { isTerminal, type Job } from 'runpod-rx';
import type { Screen } from '../Screen.js';
import type { Stage } from '../Stage.js';
import { showStates } from '../words.js';

/** A job that streams: shows its states, and its chunks as they come. */
export function write({ client, screen }: Stage): Observable<unknown> {
  const endpoint = client.endpoint<{ words: number; seed: number }, string[], string>('writer');
  const job = endpoint.job({ input: { words: 45, seed: 12 } });
  return merge(
    job.state$.pipe(
      takeWhile((snapshot) => !isTerminal(snapshot)),
      showStates(screen),
    ),
    // The last chunks may come after the terminal snapshot, so that snapshot is shown after them.
    concat(showChunks(screen, job), job.state$.pipe(filter(isTerminal), showStates(screen))),
  );
}

/** Shows a job's text as it comes, after the line for IN_PROGRESS. */
export function showChunks<O, C>(screen: Screen, job: Job<O, C>): Observable<C> {
  return job.state$.pipe(
    // Chunks wait on the server, so nothing is missed by reading them a little later.
    first(({ status }) => status !== 'IN_QUEUE'),
    switchMap(() => job.chunks$),
    tap((chunk) => screen.text(typeof chunk === 'string' ? chunk : `${JSON.stringify(chunk)} `)),
  );
}
