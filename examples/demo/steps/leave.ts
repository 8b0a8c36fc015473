import { concat, defer, takeUntil, tap, timer, type Observable } from 'rxjs';
import type { JobRecord } from 'runpod-rx/emulator';
import type { Search } from '../handlers/index.js';
import type { Stage } from '../Stage.js';
import { showStates } from '../words.js';
import { ledgerWords } from './cancel.js';

/** A job whose only subscriber unsubscribes, so that the client cancels it. */
export function leave({ client, screen }: Stage, ledger: () => readonly JobRecord[]): Observable<unknown> {
  const job = client.endpoint<{ limit: number }, Search>('searcher').job({ input: { limit: 1_000_000 } });
  return concat(
    job.state$.pipe(showStates(screen), takeUntil(timer(2500))),
    // A job is abandoned a macrotask after its last subscriber has unsubscribed.
    timer(0),
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
