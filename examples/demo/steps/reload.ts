import {
  concat,
  defer,
  filter,
  forkJoin,
  ignoreElements,
  last,
  map,
  merge,
  scan,
  switchMap,
  take,
  tap,
  timer,
} from 'rxjs';
import type { Observable } from 'rxjs';
import type { JobRef } from 'runpod-rx';
import type { Stage } from '../Stage.js';
import { showStates } from '../words.js';
import { showChunks } from './write.js';

/** A page that is reloaded: the job goes on meanwhile, and the new page continues its text. */
export function reload({ client, screen, reload: connect }: Stage): Observable<unknown> {
  const job = client
    .endpoint<{ words: number; seed: number }, string[], string>('writer')
    .job({ input: { words: 45, seed: 4 } });
  let stored = '';
  let before: readonly string[] = [];

  const first$ = merge(
    job.state$.pipe(showStates(screen), ignoreElements()),
    showChunks(screen, job).pipe(
      scan((chunks, chunk) => [...chunks, chunk], before),
      tap((chunks) => (before = chunks)),
      filter((chunks) => !!chunks.at(-1)?.endsWith('.')),
      take(1),
      switchMap(() => job.detach()),
      tap((ref) => {
        stored = JSON.stringify(ref);
        screen.line(`  detached: ${stored}`);
      }),
    ),
  );

  const second$ = defer(() => {
    screen.line('  reloaded, with a new client');
    const again = connect()
      .endpoint<object, string[], string>('writer')
      .attach(JSON.parse(stored) as JobRef, { onUnsubscribe: 'cancel' });
    const after$ = showChunks(screen, again).pipe(
      scan((chunks, chunk) => [...chunks, chunk], before),
      last(null, before),
    );
    return forkJoin([after$, again.output$]);
  }).pipe(
    map(([chunks, output]) => {
      screen.end();
      const exact = chunks.length === output.length && chunks.every((chunk, at) => chunk === output[at]);
      screen.line(
        `  ${before.length} chunks before, ${chunks.length - before.length} after; the output has ${output.length}: ` +
          (exact ? 'each came once, in order' : 'they are not the same'),
      );
    }),
  );
  return concat(first$, timer(800).pipe(ignoreElements()), second$);
}
