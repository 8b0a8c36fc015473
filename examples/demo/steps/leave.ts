import { concat, defer, takeUntil, tap, timer, type Observable } from 'rxjs';
import type { JobRecord } from 'runpod-rx/emulator';
import type { Search } from '../handlers/index.js';
import type { Stage } from '../Stage.js';
import { ledgerWords } from './cancel.js';

/** A `runSync` that is unsubscribed from: nobody else knows the job, so the client cancels it. */
export function leave({ client, screen }: Stage, ledger: () => readonly JobRecord[]): Observable<unknown> {
  const endpoint = client.endpoint<{ limit: number }, Search>('searcher');
  const left$ = endpoint.runSync({ input: { limit: 1_000_000 } }, { wait: 1000 }).pipe(takeUntil(timer(2500)));
  return concat(
    left$,
    defer(() => {
      screen.line('  unsubscribed after 2.5 s');
      return client.settled();
    }).pipe(
      tap(({ cancelled }) => {
        screen.line(`  settled: ${cancelled.length} cancelled, ${cancelled.map(({ id }) => id).join(', ')}`);
        screen.line(`  ${ledgerWords(ledger().at(-1))}`);
      }),
    ),
  );
}
