import { EMPTY, defer, delay, endWith, first, last, merge, mergeMap, tap, type Observable } from 'rxjs';
import type { JobRecord } from 'runpod-rx/emulator';
import type { Search } from '../handlers/index.js';
import type { Stage } from '../Stage.js';
import { seconds, showStates } from '../words.js';

const LIMIT = 1_000_000;

/** A long job that is cancelled while it runs. */
export function cancel({ client, screen }: Stage, ledger: () => readonly JobRecord[]): Observable<unknown> {
  return defer(() => {
    const job = client.endpoint<{ limit: number }, Search>('searcher').job({ input: { limit: LIMIT } });
    return merge(
      job.state$.pipe(showStates(screen)),
      job.progress$.pipe(
        tap((progress) => {
          const { upTo, primes } = progress as Search;
          screen.progress(upTo / LIMIT, `${primes} primes up to ${upTo}`);
        }),
      ),
      job.state$.pipe(
        first(({ status }) => status === 'IN_PROGRESS'),
        delay(3000),
        mergeMap(() => {
          screen.line('  job.cancel()');
          // `cancel()` acts at the call, without a subscription. The states show the result.
          job.cancel();
          return EMPTY;
        }),
      ),
    );
  }).pipe(
    endWith(undefined),
    last(),
    mergeMap(() => client.settled()),
    tap(() => screen.line(`  ${ledgerWords(ledger().at(-1))}`)),
  );
}

/** Says how a job really ended, from the ledger of the local RunPod. */
export function ledgerWords(job: JobRecord | undefined): string {
  const run = job?.runs.at(-1);
  return `the server's ledger: job ${job?.end ?? 'still running'}, its run ${run?.outcome ?? 'never begun'} after ${seconds(job?.executionMs)}`;
}
