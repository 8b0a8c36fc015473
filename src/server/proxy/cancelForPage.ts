import { defer, tap, type Observable } from 'rxjs';
import { reportUnhandled } from '../../errors/reportUnhandled.js';
import type { EndpointProxy } from './EndpointProxy.js';
import { passOn } from './passOn.js';

/**
 * Cancels a job for a page, and emits the page's answer: the service's own.
 *
 * Unsubscribing means that the page has left. It cannot ask again, so the job is cancelled for good.
 */
export function cancelForPage(proxy: Pick<EndpointProxy, 'endpoint' | 'reads'>, id: string): Observable<Response> {
  return defer(() => {
    let isAnswered = false;
    proxy.reads.forget(id);
    return passOn((call) => proxy.endpoint.cancel(id, call)).pipe(
      tap({
        next: () => {
          isAnswered = true;
        },
        unsubscribe: () => {
          if (!isAnswered) cancelForGood(proxy, id);
        },
      }),
    );
  });
}

/** Cancels a job until that is confirmed, whoever listens; the client's `settled()` waits for it. */
export function cancelForGood({ endpoint }: Pick<EndpointProxy, 'endpoint'>, id: string): void {
  endpoint.attach(id).cancel().subscribe({ error: reportUnhandled });
}
