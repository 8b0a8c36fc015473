import { defer, merge, take, tap, type Observable } from 'rxjs';
import { reportUnhandled } from '../../errors/reportUnhandled.js';
import type { EndpointProxy } from './EndpointProxy.js';
import { passOn } from './passOn.js';
import { whenLeft } from './untilLeft.js';

/**
 * Cancels a job for a page, and emits the page's answer: the service's own. Where the page leaves before that, it cannot ask
 * again, so the job is cancelled for good.
 *
 * @param signal - of the page's request
 */
export function cancelForPage(
  proxy: Pick<EndpointProxy, 'endpoint' | 'reads'>,
  id: string,
  signal: AbortSignal,
): Observable<Response> {
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
export function cancelForGood({ endpoint }: Pick<EndpointProxy, 'endpoint'>, id: string): void {
  endpoint.attach(id).cancel().subscribe({ error: reportUnhandled });
}
