import { defer, merge, take, tap, type Observable } from 'rxjs';
import { reportUnhandled } from '../../errors/reportUnhandled.js';
import type { Endpoint } from '../../index.js';
import type { JobReads } from './JobReads.js';
import { passOn } from './passOn.js';
import { whenLeft } from './untilLeft.js';

/** Where a job is cancelled. */
export interface Cancelling {
  readonly endpoint: Pick<Endpoint, 'attach' | 'cancel'>;
  readonly reads: Pick<JobReads, 'forget'>;
}

/**
 * Cancels a job for a page, and emits the page's answer: the service's own. Where the page leaves before that, it cannot ask
 * again, so the job is cancelled for good.
 *
 * @param signal - of the page's request
 */
export function cancelForPage(proxy: Cancelling, id: string, signal: AbortSignal): Observable<Response> {
  return defer(() => {
    proxy.reads.forget(id);
    const left$ = whenLeft(signal).pipe(
      tap(() => {
        cancelForGood(proxy, id);
      }),
    );
    return merge(
      left$,
      passOn((call) => proxy.endpoint.cancel(id, call)),
    ).pipe(take(1));
  });
}

/** Cancels a job until that is confirmed, whoever listens; the client's `settled()` waits for it. */
export function cancelForGood({ endpoint }: Pick<Cancelling, 'endpoint'>, id: string): void {
  endpoint.attach(id).cancel().subscribe({ error: reportUnhandled });
}
