import { defer, finalize, from, map, merge, of, share, tap, type Observable } from 'rxjs';
import { vouchedNotice, type VouchedNotice } from '../protocol/vouchedNotice.js';
import { acrossTabs } from './acrossTabs.js';
import type { EventNoticesOptions } from './EventNoticesOptions.js';
import { PageState, type Pushed } from './Pushed.js';
import { pushedBy } from './pushedBy.js';

/**
 * What happens to the user's jobs, pushed by a `createProxy({ events: true })`: with it as its `notices`, the client of a
 * page reads nothing while it is connected.
 *
 * ```ts
 * const client = runpod({ baseUrl: '/api/runpod', notices: eventNotices('/api/runpod/events') });
 * ```
 *
 * It connects with the first subscriber, and disconnects after the last: a client subscribes while it has jobs to follow. All
 * tabs of an origin share one connection where the browser has locks and channels for that. What was missed in a break is
 * sent again. While there is no connection, or something on the way collects the events instead of passing them on, the
 * client reads its jobs as it would without events.
 *
 * Never errors. Completes where there are no events at the address (404). After a refusal (401, 403) it tries again in a
 * minute, and after any other break in 1 s to 30 s. Unsubscribing disconnects, and does nothing to the jobs.
 *
 * @param url - the path of the proxy, and `/events`
 */
export function eventNotices(url: string, options: EventNoticesOptions = {}): Observable<VouchedNotice> {
  const state = new PageState();
  const own$ = pushedBy(url, options, state);
  const pushed$ = (options.headers ? own$ : acrossTabs(url, own$, state)).pipe(
    tap((pushed) => {
      state.keep(pushed);
    }),
    finalize(() => {
      state.forget();
    }),
    share(),
  );
  // Said at once, before the connection says anything: the server keeps streams.
  return defer(() => merge(of<Pushed>({}), from(state.latest), pushed$)).pipe(
    map(({ job, ...options }) => vouchedNotice(job, { ...options, keepsStreams: true })),
  );
}
