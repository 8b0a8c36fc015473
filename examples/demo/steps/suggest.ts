import {
  Subject,
  concatMap,
  defer,
  delay,
  filter,
  finalize,
  from,
  ignoreElements,
  merge,
  of,
  switchMap,
  takeUntil,
  tap,
} from 'rxjs';
import type { Observable } from 'rxjs';
import type { ListeningEmulator } from 'runpod-rx/emulator';
import type { Stage } from '../Stage.js';
import { seconds } from '../words.js';

const TYPED = ['b', 'bo', 'boo', 'boa', 'boat'];

/** Suggestions while somebody types. `switchMap` unsubscribes from the previous job, so the client cancels that job. */
export function suggest({ client, screen }: Stage, emulator: ListeningEmulator): Observable<unknown> {
  const endpoint = client.endpoint<{ prefix: string }, string[]>('librarian');
  const jobs = () =>
    emulator
      .jobs()
      .filter(({ endpointId }) => endpointId === endpoint.id)
      .map((job) => ({ ...job, prefix: (job.input as { prefix: string }).prefix }));

  return defer(() => {
    const over$ = new Subject<void>();
    const suggestion$ = from(TYPED).pipe(
      concatMap((prefix, at) => of(prefix).pipe(delay(at ? 650 : 0))),
      tap((prefix) => screen.line(`  typed   ${prefix}`)),
      switchMap((prefix) => endpoint.job({ input: { prefix } }, { every: 500 }).output$),
      tap((words) => screen.line(`  found   ${screen.style(words.join(', '), 'green')}`)),
      finalize(() => {
        over$.next();
      }),
    );
    const seen$ = emulator.requests$.pipe(
      filter(({ endpointId, operation = '' }) => endpointId === endpoint.id && /^(run|cancel)$/.test(operation)),
      tap(({ operation = '', jobId }) => {
        const { prefix = '?' } = jobs().find(({ id }) => id === jobId) ?? {};
        screen.line(screen.style(`    the server got /${operation.padEnd(6)}  ${prefix}`, 'dim'));
      }),
      ignoreElements(),
      takeUntil(over$),
    );
    return merge(seen$, suggestion$);
  }).pipe(
    tap({
      complete: () => {
        screen.line(`  the server's ledger:`);
        for (const { prefix, end, executionMs } of jobs())
          screen.line(`    ${prefix.padEnd(5)}  ${(end ?? 'still running').padEnd(9)}  after ${seconds(executionMs)}`);
      },
    }),
  );
}
