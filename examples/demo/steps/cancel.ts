import { connect, delay, first, ignoreElements, merge, mergeMap, tap, type Observable } from 'rxjs';
import type { JobRecord } from 'runpod-rx/emulator';
import type { Search } from '../handlers/index.js';
import { ownJob } from '../ownJob.js';
import type { Stage } from '../Stage.js';
import { seconds, showStates } from '../words.js';

const LIMIT = 1_000_000;

/** A long job that is cancelled while it runs. */
export function cancel({ client, screen, cancelling }: Stage, ledger: () => readonly JobRecord[]): Observable<unknown> {
  const endpoint = client.endpoint<{ limit: number }, Search>('searcher');
  return ownJob(endpoint, { input: { limit: LIMIT } }, cancelling).pipe(
    showStates(screen),
    connect((job$) =>
      merge(
        job$.pipe(
          tap((job) => {
            if (job.status !== 'IN_PROGRESS' || !job.progress) return;
            const { upTo, primes } = job.progress as Search;
            screen.progress(upTo / LIMIT, `${primes} primes up to ${upTo}`);
          }),
        ),
        job$.pipe(
          first(({ status }) => status === 'IN_PROGRESS'),
          delay(3000),
          mergeMap(({ id }) => endpoint.cancel(id)),
          tap(({ rawStatus }) => screen.line(`  the answer to the cancel: ${rawStatus}`)),
          ignoreElements(),
        ),
      ),
    ),
    tap({ complete: () => screen.line(`  ${ledgerWords(ledger().at(-1))}`) }),
  );
}

/** What the local RunPod knows of a job's end, whatever it answered. */
export function ledgerWords(job: JobRecord | undefined): string {
  const run = job?.runs.at(-1);
  return `the server's ledger: job ${job?.end ?? 'still running'}, its run ${run?.outcome ?? 'never begun'} after ${seconds(job?.executionMs)}`;
}
